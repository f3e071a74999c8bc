"""The words that stand around an order and the places where one is given or only talked about. Data and nothing else: the
orders themselves are in guard_phrases.py, how words are weighed is in guard_url.py and guard_label.py.
"""

from __future__ import annotations

from crawlkit.crawl.guard_spelling import spellings


def _set(text: str) -> frozenset[str]:
    """The words, in each spelling that a folded text may have."""
    return frozenset(spelling for word in text.split() for spelling in spellings(word))


def _names(text: str) -> frozenset[str]:
    """Names of programs, as they are written."""
    return frozenset(text.split())


#: Stands beside such a phrase without making another thing of it: `customer-logout`, `perform_logout`, "Log out now".
SESSION_COMPANIONS = _set(
    """
    account accounts action admin again ajax all and api app auth backend bye callback cas click client confirm
    confirmed current customer default device devices do employee everywhere execute from front frontend go handle
    handler here index j me member members my now oauth of oidc on other out page partner perform please portal process
    redirect request safely saml secure securely security servlet session sessions shop single site spring sso staff
    student submit the then this to user users web wp yes you your yourself
    """
)
OBJECTS = _set(
    """
    account accounts action address admin ajax album alert all and article articles asset attachment attachments avatar
    bag basket bin board bookmark bookmarks branch bulk by cache calendar card cart category channel chat class comment
    comments confirm confirmed contact contacts content cookie coupon data device devices directory do document
    documents domain draft email emails entries entry event events execute favorite favorites favourite favourites file
    files folder forever form from gallery group groups handler history image images index it item items job key keys
    label line link links list lists log mail mailing me media member members message messages multi multiple my news
    newsletter newsletters node note notes notification notifications now object objects order orders our page pages
    password payment permanently photo photos picture pictures playlist please post posts process product products
    profile project projects question really record records reply repo repository request review revision row rows rule
    saved search selected session sessions submit subscriber subscription subscriptions tag task tasks team template
    that the this thread ticket tickets token tokens topic topics trash upload us user users version video videos
    webhook wishlist yes your
    """
)

#: The same in other languages, for labels.
FOREIGN_OBJECTS = _set(
    """
    alle allen archivo archivos articolo articulo artigo artikel beitrag benutzer bericht besked bestelling bild ce cet
    cette comentario comentarios comentário commentaire compte conta conto cuenta das datei dateien de definitivamente
    del den denna der deze die diese diesen dieses dit e eintrag el elemento esta este eu fichier fichiers fil foto il
    inlägg is kommentar kommentaren kommentarz kommentti konto kontot la las le les lo los ma mein meine meinen mensagem
    mensaje message messaggio mi mijn min mit mitt mon na nachricht notatka o os ou para pedido permanent permanente
    post publicacao publicacion questo reactie se selectionne selezionato sie siparis su ten to todo todos tout tutti un
    una unsere usuario utente utilisateur utilizador viesti wpis ze zu аккаунт заказ запись комментарии комментарий
    отзыв пост профиль сообщение страницу тему учетную файл
    """
)
#: Said before an order without changing it.
FILLERS = _set(
    """
    bitte clic click clique cliquez here hier hiermit i ici ja jetzt just klicka klicken now oui please pour press pulse
    s'il si sim tak tap to um want wil yes zum да
    """
)

#: A label with one of these talks about the thing and does not do it: "Logout button design", "How to sign out".
TOPICS = _set(
    """
    about after an anleitung api article avoid before best bug button buttons case code command comment como cómo design
    designs difference docs documentation error errors example examples explained faq feature fix flow guide guides help
    how implement implementing improved intro introduction is issue issues key keys learn lesson manual method methods
    operator page policy pourquoi problem problems procedure procedures query reference sheet sheets sql statement
    statements story test testing tips tutorial tutorials understanding using vs warum what when where why wie with
    without wont work works
    """
)

#: Below one of these, words are looked up and explained; nothing is done.
REFERENCE = _set(
    """
    aide answers api-docs apidocs apireference article-help ayuda begriffe categories category changelog character
    characters cheatsheet command commands conjugation cookbook css datenschutz define definition definitions
    diccionario dicionario dict dictionary dictionnaire dizionario doc docs documentation emoji emojis encyclopedia
    etiqueta etiquetas examples faq faqs git glossar glossary guide guides handbook hc help helpcenter hilfe how-to
    how-tos howto howtos http icon icons javascript js kategorie kb keyword keywords knowledge knowledgebase label
    labels learn legal lexikon lexique man manpages manual manuals mdn meaning meanings methods mysql operators php
    policies policy postgres postgresql privacy programming pronunciation python q question questions ratgeber redis ref
    reference ruby rust slovnik slownik sql sqlite statement statements support symbol symbols synonym synonyme synonyms
    syntax tag taggs tags theme themes thesaurus tips topic topics traduction translate translation translations
    translator tutorial tutorials unicode vocabulary wiki wissen woordenboek word words wörterbuch übersetzer
    übersetzung
    """
)

#: Right below one of these stands the name of a thing, whatever it is called: /products/delete.
COLLECTIONS = _set(
    """
    album albums app apps archive archives article articles artikel artikler artist artists aur author authors blog
    blogs book books brand brands browse buch bücher c cargo cask casks catalog catalogo catalogue citations collection
    collections companies company conda course courses cpan cran crate crates detail details dp entries entry episode
    episodes event events film films formula formulae forum forums game games gem gems headlines item items journal
    listing listings magazine media module modules movie movies music news notes npm nuget p package packages packagist
    page pages people person photo photos pictures place places player players podcast podcasts post posts press prod
    product producto productos products produit produits produkt produkte produkter profiles project projects
    publications published pypi quote quotes recipe recipes releases review reviews rezepte rubygems series shop show
    shows song songs store stories story t term terms thread threads title titles tool tools track tracks tv u verse
    video videos view works
    """
)

#: Whole applications are mounted below these as well: /shop/logout logs out of the shop.
MOUNTS = _set(
    """
    app apps archive archives c companies company course courses entry forum forums game games journal listing listings
    magazine media module modules music p page pages place places shop show store t tool tools tv video videos view
    works
    """
)

#: There is one of each for a visitor, so that a verb below it needs no number: /account/delete, /cart/clear.
SINGLETONS = _set(
    """
    2fa account accounts admin auth avatar bag basket cache cart email emails history konto login mailing me member
    membership mfa my myaccount newsletter newsletters notifications profile registration session sessions settings sso
    subscription subscriptions token tokens totp trash two-factor user users warenkorb wishlist
    """
)
#: Whoever is named below one of these has pages of their own: /user/logout/photos.
PERSONS = _set(
    """
    artist artists author authors benutzer contributor contributors member members people person persons player players
    profile profiles u user users usuario usuarios utilisateur utilisateurs
    """
)
#: Folders of what is numbered and has no title of its own: people, and where a click is sent on.
UNTITLED = _set(
    """
    address adresse click client contact customer employee follower form friend guest invitation invite kunde link
    patient redirect student subscriber url visitor
    """
)
PERSONAL = _set(
    """
    about achievements activity answers badges bio comments contributions favorites favourites feed followers following
    friends gallery likes perfil profil profile questions repositories rss statistics stats timeline
    """
)
SESSION_PARENTS = _set(
    """
    auth jwt login oauth oauth2 oidc openid saml saml2 sesion session sessions sitzung sso token tokens
    """
)
SESSION_VERBS = _set(
    """
    clear close delete destroy drop end expire invalidate kill leave off out remove revoke slo terminate
    """
)
ACCOUNT_PARENTS = _set(
    """
    account accounts admin auth customer konto login me member members my myaccount profile session sso user users
    """
)

#: Query parameters whose value is what is to be done.
ACTIONS = _set(
    """
    a ac act action actions actiontype button cmd command do doaction event_action func function fuseaction handler
    intent job method mod mode op oper operation opt option perform process r req request route submit task todo wa what
    wmethod wpaction
    """
)
#: Query parameters whose value is the name of a page: logging out is often one.
VIEWS = _set(
    """
    area c controller e ev event fa go m module p page path pg q screen sec section site sub tab target to view
    """
)

#: Query parameters whose value is what the page is about.
SUBJECTS = _set(
    """
    article entry film headword k keyword label lemma name product q query s search subject suche tag term title topic
    word
    """
)

#: What Drupal's `?q=` begins with when it is a path and no search.
ROUTES = _set(
    """
    admin block comment file logout menu node taxonomy user
    """
)

#: Query parameters that nobody needs to read something.
CSRF = _set(
    """
    antiforgery antiforgerytoken atltoken authenticitytoken crumb csrf csrfhash csrfkey csrfmiddlewaretoken
    csrfpreventionsalt csrftoken edittoken formbuildid formhash formkey formtoken posttoken requesttoken
    requestverificationtoken sectok securitytoken sesc sesskey stoken verificationtoken wpnonce xftoken xsrf xsrftoken
    yiicsrftoken
    """
)
#: Query parameters that guard something when something is done beside them, and are harmless otherwise.
TOKENS = _set(
    """
    auth code hash key nonce secret security sid sig signature t ticket token
    """
)

#: Numbers in a query that name no thing.
PAGING = _set(
    """
    count day from h height lang limit month offset order p page per_page perpage pg size sort start step time to ts
    utm_campaign v ver version w width year
    """
)

#: Class names and ids around the visitor's own corner of a page.
ACCOUNT_PLACES = _set(
    """
    account auth avatar dropdown identity konto login loginbox me member member-menu personal profile session signin
    toolbar topbar user userbar userbox userinfo userlinks usermenu usernav usertools
    """
)
#: Class names of what stands for a thing and is named by its link.
NAME_PLACES = _set(
    """
    card-title entry-title heading headline name post-title product-name product-title title
    """
)
#: Class names of links that act.
BUTTONS = _set(
    """
    action actions btn btn-danger button danger destructive is-danger text-danger
    """
)
#: Icons of a bin, and what may stand beside: `trash-can-open`, but `trash-bags` are for sale.
BINS = _set(
    """
    dustbin garbage rubbish trash trashbin trashcan wastebasket
    """
)
BIN_PARTS = _set(
    """
    bin can delete full open remove x xmark
    """
)
#: How an icon is drawn, at the end of its name.
ICON_STYLES = _set(
    """
    alt bold box broken circle duotone fill filled light line linear new o outline outlined r regular rounded sharp slim
    small solid square start svg thin twotone variant
    """
)
#: Icons that show how a session is left.
EXITS = _names("right-from-bracket left-from-bracket right-from-line exit-to-app door-exit")
#: Icons that show that among other things.
EXITS_WEAK = _names(
    """
    arrow-left-on-rectangle arrow-left-start-on-rectangle arrow-right-on-rectangle arrow-right-start-on-rectangle
    box-arrow-left box-arrow-right door-open exit glyphicon-off leave power power-off power-settings
    """
)
#: Signs that are all that a link says. The door and the switch mean other things as well.
SIGNS = {"🗑": "delete", "🚮": "delete", "🚪": "exit", "⏻": "exit"}

#: What keeps a page's own things: taking one out of it is nothing to the site.
STORES = _names(
    """
    Cookies URLSearchParams _gaq _paq cache caches classList cookieStore cookies dataLayer dataset docCookies history
    localStorage parentElement parentNode sessionStorage style
    """
)
#: Functions that are told what to do.
CARRIERS = _names(
    """
    $dispatch $emit $fire __doPostBack action call dispatch doAction emit invoke perform trigger
    """
)
#: Functions that are told where to go or what to ask.
SENDERS = _names(
    """
    ajax assign del delete fetch get go goTo load navigate open patch post push put redirect replace visit
    """
)

#: Parts of class names that only say "icon".
ICONS = _set(
    """
    a alt anchor bi bold box btn button bx bxs circle danger default duotone eva fa fad fal far fas feather fi fill
    filled fontawesome footer glyphicon header i icn ico icon iconify icons ion item js la lab las left lg li light line
    linear link lucide material md mdi menu mi mingcute nav navbar o octicon outline ph pi primary r regular ri right
    round rounded secondary sharp sm solid square svg tabler text thin ti top topbar twotone variant ui uil user xs zmdi
    """
)
