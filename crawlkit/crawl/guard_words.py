"""The words by which the guard knows what a link would do, by language, and the places where such words are only talked
about. Data and nothing else: how words are weighed is in guard_url.py and guard_label.py.

A phrase is written as people write it; it is compared without case and accents, and for URLs with its words joined as
well (`log out` is also `logout`). What means something else just as often ("exit", "salir", "退出") is among the WEAK:
it counts when it is all that a label says, or all that a path is.
"""

from __future__ import annotations


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Ends a session, whoever says it.
SESSION = {
    "en": "log out, log off, sign out, sign off, end session, close session, log me out, sign me out, quit session, "
    "wsignout1 0, wsignoutcleanup1 0",
    "de": "abmelden, ausloggen, abmeldung, sitzung beenden, logout",
    "fr": "déconnexion, se déconnecter, déconnecter, déconnectez-vous, me déconnecter, fermer la session",
    "es": "cerrar sesión, cerrar la sesión, desconectar, desconectarse, desconexión, finalizar sesión",
    "it": "disconnetti, disconnettersi, disconnettiti, chiudi sessione, termina sessione",
    "pt": "terminar sessão, encerrar sessão, fechar sessão, finalizar sessão, desconectar, desconectar-se, deslogar",
    "ca": "tanca la sessió, tancar sessió, desconnecta",
    "nl": "uitloggen, afmelden, log uit",
    "sv": "logga ut, loggar ut",
    "da": "log ud, log af",
    "no": "logg ut, logg av",
    "fi": "kirjaudu ulos, uloskirjaus",
    "is": "útskráning, skrá út",
    "pl": "wyloguj, wyloguj się, wylogowanie",
    "cs": "odhlásit, odhlásit se, odhlášení",
    "sk": "odhlásiť, odhlásiť sa, odhlásenie",
    "hu": "kijelentkezés, kilépés, kijelentkezem",
    "ro": "deconectare, deconectează-te, ieșire din cont",
    "hr": "odjava, odjavi se, odjavi me",
    "sl": "odjava, odjavi se",
    "et": "logi välja",
    "lv": "iziet, izrakstīties",
    "lt": "atsijungti",
    "tr": "çıkış yap, oturumu kapat, oturumu sonlandır, güvenli çıkış",
    "ru": "выйти, разлогиниться, выйти из аккаунта, завершить сеанс",
    "uk": "вийти, вихід із системи, завершити сеанс",
    "bg": "изход от профила, отписване от системата",
    "el": "αποσύνδεση, έξοδος από τον λογαριασμό",
    "he": "התנתק, התנתקות, להתנתק",
    "ar": "تسجيل الخروج, تسجيل خروج",
    "fa": "خروج از حساب, خروج از سیستم",
    "hi": "लॉग आउट, साइन आउट",
    "th": "ออกจากระบบ",
    "vi": "đăng xuất",
    "id": "keluar dari akun, log keluar",
    "ja": "ログアウト, ログアウトする, サインアウト, サインアウトする, ログオフ",
    "zh": "退出登录, 退出登錄, 登出, 注销, 註銷, 安全退出, 退出账号, 退出系统",
    "ko": "로그아웃, 로그아웃하기",
}

#: Ends a session when it stands alone.
SESSION_WEAK = {
    "en": "exit, quit, disconnect, logged out",
    "es": "salir, desconectado",
    "pt": "sair",
    "it": "esci",
    "fr": "quitter",
    "de": "verlassen, beenden",
    "ro": "ieșire",
    "tr": "çıkış",
    "ru": "выход",
    "uk": "вихід",
    "bg": "изход",
    "el": "έξοδος",
    "he": "יציאה",
    "ar": "خروج",
    "fa": "خروج",
    "pl": "wyjdź, wyjście",
    "vi": "thoát",
    "id": "keluar",
    "fi": "poistu",
    "zh": "退出",
}

DELETES = {
    "en": "delete, destroy, erase, move to trash, discard draft, close account, deactivate account, wipe",
    "de": "löschen, loeschen, entfernen, konto schließen",
    "fr": "supprimer, effacer, retirer, clôturer le compte",
    "es": "eliminar, borrar, suprimir, cerrar la cuenta, cerrar cuenta",
    "it": "elimina, eliminare, cancella, rimuovi, rimuovere, chiudi account",
    "pt": "excluir, apagar, eliminar, remover, encerrar conta",
    "ca": "suprimeix, esborra, elimina",
    "nl": "verwijder, verwijderen",
    "sv": "ta bort, radera",
    "da": "slet, fjern",
    "no": "slett, fjern",
    "fi": "poista",
    "pl": "usuń, skasuj, usunąć",
    "cs": "smazat, odstranit, vymazat",
    "sk": "zmazať, odstrániť, vymazať",
    "hu": "törlés, törlöm, eltávolítás",
    "ro": "șterge, ștergere, elimină",
    "hr": "izbriši, obriši, ukloni",
    "sl": "izbriši, odstrani",
    "et": "kustuta",
    "lv": "dzēst",
    "lt": "ištrinti, pašalinti",
    "tr": "sil, kaldır, hesabı sil",
    "ru": "удалить, стереть",
    "uk": "видалити, стерти",
    "bg": "изтрий, изтриване, премахни",
    "el": "διαγραφή, κατάργηση",
    "he": "מחק, מחיקה, הסר",
    "ar": "حذف, إزالة",
    "fa": "حذف",
    "hi": "हटाएं, मिटाएं",
    "th": "ลบ",
    "vi": "xóa, xoá",
    "id": "hapus",
    "ja": "削除, 削除する, 退会, 退会する",
    "zh": "删除, 刪除, 移除",
    "ko": "삭제, 삭제하기, 탈퇴",
}

#: A label of its own; in a URL it needs something that it is done to.
DELETES_WEAK = {"en": "remove, cancel, revoke, trash, invalidate, expire, terminate, ban, discard, del, rm"}

UNSUBSCRIBES = {
    "en": "unsubscribe, opt out, cancel subscription, cancel my subscription, cancel membership, email opt out",
    "de": "abbestellen, newsletter abmelden, abo kündigen, vom newsletter abmelden, austragen",
    "fr": "désabonner, se désabonner, désabonnement, se désinscrire, désinscription, résilier",
    "es": "darse de baja, desuscribir, desuscribirse, cancelar suscripción, anular suscripción",
    "it": "annulla iscrizione, disiscriviti, cancella iscrizione, disiscrizione",
    "pt": "cancelar inscrição, cancelar assinatura, cancelar subscrição, descadastrar",
    "nl": "uitschrijven, abonnement opzeggen",
    "sv": "avprenumerera, avsluta prenumeration, avregistrera",
    "da": "afmeld, afmeld nyhedsbrev, opsig abonnement",
    "no": "avslutt abonnement, meld av",
    "fi": "peruuta tilaus, peru tilaus",
    "pl": "wypisz, wypisz się, anuluj subskrypcję",
    "cs": "odhlásit odběr, zrušit odběr",
    "sk": "zrušiť odber, odhlásiť odber",
    "hu": "leiratkozás",
    "ro": "dezabonare",
    "tr": "abonelikten çık, aboneliği iptal et",
    "ru": "отписаться, отписка, отменить подписку",
    "uk": "відписатися, скасувати підписку",
    "el": "διαγραφή από τη λίστα, κατάργηση εγγραφής",
    "he": "בטל הרשמה, הסרה מרשימת התפוצה",
    "ar": "إلغاء الاشتراك",
    "vi": "hủy đăng ký",
    "id": "berhenti berlangganan",
    "ja": "購読解除, 配信停止, 登録解除",
    "zh": "退订, 退訂, 取消订阅, 取消訂閱",
    "ko": "구독 취소, 수신거부",
}

PURGES = {
    "en": "purge, truncate, empty trash, empty cart, clear cart, clear basket, clear cache, clear history, "
    "flush cache, empty bin, empty basket",
    "de": "papierkorb leeren, warenkorb leeren, cache leeren",
    "fr": "vider la corbeille, vider le panier, vider le cache, purger",
    "es": "vaciar papelera, vaciar carrito, vaciar la papelera, purgar",
    "it": "svuota cestino, svuota carrello, svuota cache",
    "pt": "esvaziar lixeira, esvaziar carrinho, limpar cache",
    "nl": "prullenbak leegmaken, winkelwagen leegmaken",
    "pl": "opróżnij kosz, wyczyść koszyk",
    "ru": "очистить корзину, очистить кэш",
    "sv": "töm papperskorgen, töm varukorgen",
    "ja": "ゴミ箱を空にする, カートを空にする",
    "zh": "清空, 清空购物车, 清空回收站",
}

PURGES_WEAK = {"en": "clear, flush, empty, reset"}

#: Neither: it changes something that others see.
CHANGES = {
    "en": "unpublish, deactivate, rollback, uninstall, unapprove, depublish",
    "de": "deaktivieren, veröffentlichung zurückziehen, deinstallieren",
    "fr": "dépublier, désactiver",
    "es": "despublicar, desactivar",
    "it": "annulla pubblicazione, disattiva",
    "pt": "despublicar, desativar",
    "nl": "depubliceren, deactiveren",
    "pl": "dezaktywuj, cofnij publikację",
    "ru": "снять с публикации, деактивировать",
}
CHANGES_WEAK = {"en": "disable, reject, suspend, approve, markpatrolled, close"}

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
    aide answers api-docs apidocs apireference article-help ayuda begriffe categories category changelog cheatsheet
    command commands cookbook css datenschutz define definition definitions dictionary doc docs documentation
    encyclopedia etiqueta etiquetas examples faq faqs git glossar glossary guide guides handbook hc help helpcenter
    hilfe how-to how-tos howto howtos http javascript js kategorie kb keyword keywords knowledge knowledgebase label
    labels learn legal lexikon man manpages manual manuals mdn methods mysql operators php policies policy postgres
    postgresql privacy programming python q question questions ratgeber redis ref reference ruby rust sql sqlite
    statement statements support syntax tag taggs tags theme themes thesaurus tips topic topics tutorial tutorials wiki
    wissen word words worterbuch
    """
)

#: Right below one of these stands the name of a thing, whatever it is called: /products/delete.
COLLECTIONS = _set(
    """
    album albums app apps archive archives article articles artikel artikler artist artists author authors blog blogs
    book books brand brands browse buch buecher c catalog catalogo catalogue citations collection collections companies
    company course courses crate crates detail details dp entries entry episode episodes event events film films forum
    forums game games gem gems headlines item items journal listing listings magazine media module modules movie movies
    music news notes p package packages page pages people person photo photos pictures place places podcast podcasts
    post posts press prod product producto productos products produit produits produkt produkte produkter project
    projects publications published quote quotes recipe recipes releases review reviews rezepte series shop show shows
    song songs store stories story t term terms thread threads title titles tool tools track tracks tv verse video
    videos view works
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
    account accounts admin auth avatar bag basket cache cart email emails history konto login mailing me member
    membership my myaccount newsletter newsletters notifications profile registration session sessions settings sso
    subscription subscriptions token tokens trash user users warenkorb wishlist
    """
)
SESSION_PARENTS = _set(
    """
    auth login saml saml2 sesion session sessions sitzung sso token tokens
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
    area c controller go m module p page path pg q screen sec section site sub tab target to view
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
#: Parts of class names that only say "icon".
ICONS = _set(
    """
    a alt anchor bi box btn button circle danger default fa fad fal far fas feather fi fontawesome footer glyphicon
    header i icn ico icon icons ion item js left lg li light line link material md mdi menu nav navbar o octicon outline
    primary regular right round rounded secondary sharp sm solid square svg text ti top topbar ui user xs
    """
)
