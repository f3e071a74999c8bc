"""The phrases by which the guard knows what a link would do, by language. Data and nothing else: how a phrase is found in
a name or a label is in guard_command.py, the words that stand around it are in guard_words.py.

A phrase is written as people write it; it is compared without case and accents, for German also with ä as ae, and for
URLs with its words joined as well (`log out` is also `logout`). What means something else just as often ("exit",
"salir", "退出") is among the WEAK: it counts when it is all that a label says, or all that a path is.
"""

from __future__ import annotations

#: Ends a session, whoever says it.
SESSION = {
    "en": "log out, log off, sign out, sign off, end session, close session, log me out, sign me out, quit session, "
    "wsignout1 0, wsignoutcleanup1 0",
    "de": "abmelden, ausloggen, abmeldung, sitzung beenden, logout",
    "fr": "déconnexion, se déconnecter, déconnecter, déconnectez-vous, me déconnecter, fermer la session, quitter la "
    "session, me deconnecter",
    "es": "cerrar sesión, cerrar la sesión, desconectar, desconectarse, desconexión, finalizar sesión, desloguearse, "
    "salir de la cuenta, salir del sistema",
    "it": "disconnetti, disconnettersi, disconnettiti, disconnessione, chiudi sessione, termina sessione",
    "pt": "terminar sessão, encerrar sessão, fechar sessão, finalizar sessão, desconectar, desconectar-se, deslogar, "
    "sair da conta, sair do sistema",
    "ca": "tanca la sessió, tancar sessió, desconnecta",
    "nl": "uitloggen, afmelden, log uit, meld af, meld me af",
    "sv": "logga ut, loggar ut, logga ut mig, utloggning",
    "da": "log ud, log af, log mig ud, logud, udlogning",
    "no": "logg ut, logg av, logg meg ut, utlogging",
    "fi": "kirjaudu ulos, uloskirjaus, uloskirjautuminen, kirjaudu pois",
    "is": "útskráning, skrá út",
    "pl": "wyloguj, wyloguj się, wylogowanie, wyloguj mnie, zakończ sesję",
    "cs": "odhlásit, odhlásit se, odhlášení",
    "sk": "odhlásiť, odhlásiť sa, odhlásenie",
    "hu": "kijelentkezés, kilépés, kijelentkezem",
    "ro": "deconectare, deconectează-te, ieșire din cont",
    "hr": "odjava, odjavi, odjavi se, odjavi me, odjavite se",
    "sl": "odjava, odjavi se, odjavite se",
    "et": "logi välja, väljalogimine",
    "lv": "iziet, izrakstīties, izlogoties, atteikties no sistēmas",
    "lt": "atsijungti, atsijungimas",
    "tr": "çıkış yap, oturumu kapat, oturumu sonlandır, güvenli çıkış",
    "ru": "выйти, разлогиниться, выйти из аккаунта, завершить сеанс, выйти из системы, разлогинить",
    "sr": "одјава, одјави се, одјавите се",
    "mk": "одјави се",
    "be": "выйсці",
    "uk": "вийти, вихід із системи, завершити сеанс",
    "bg": "изход от профила, отписване от системата, излизане",
    "el": "αποσύνδεση, έξοδος από τον λογαριασμό",
    "he": "התנתק, התנתקות, להתנתק",
    "ar": "تسجيل الخروج, تسجيل خروج",
    "fa": "خروج از حساب, خروج از سیستم",
    "hi": "लॉग आउट, साइन आउट, लॉगआउट, साइनआउट",
    "bn": "লগ আউট, লগআউট, সাইন আউট",
    "ur": "لاگ آؤٹ, لاگ آوٹ",
    "ka": "გასვლა",
    "hy": "ելք համակարգից",
    "kk": "жүйеден шығу",
    "az": "hesabdan çıx",
    "sq": "çkyçu, dil nga llogaria",
    "cy": "allgofnodi",
    "eu": "itxi saioa, saioa itxi, amaitu saioa",
    "gl": "pechar sesión, pechar a sesión, saír da sesión",
    "af": "meld af, teken uit",
    "th": "ออกจากระบบ",
    "vi": "đăng xuất",
    "id": "keluar dari akun, log keluar, daftar keluar, keluar akun",
    "ja": "ログアウト, ログアウトする, サインアウト, サインアウトする, ログオフ",
    "zh": "退出登录, 退出登錄, 登出, 注销, 註銷, 安全退出, 退出账号, 退出帳號, 退出系统, 登出系統",
    "ko": "로그아웃, 로그아웃하기",
}

#: Ends a session when it stands alone.
SESSION_WEAK = {
    "en": "exit, quit, disconnect, logged out",
    "es": "salir, salida, desconectado",
    "pt": "sair, saída",
    "it": "esci, uscita",
    "fr": "quitter",
    "et": "välju, lahku",
    "sl": "izhod",
    "hr": "izlaz",
    "sr": "излаз, изађи",
    "az": "çıxış",
    "gl": "saír",
    "ca": "surt, sortir del compte",
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
    "en": "delete, destroy, erase, move to trash, discard draft, close account, close my account, "
    "deactivate account, deactivate my account, wipe",
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
DELETES_WEAK = {"en": "remove, cancel, revoke, trash, invalidate, expire, terminate, discard, del, rm"}

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
    "en": "unpublish, deactivate, rollback, uninstall, unapprove, depublish, unfriend, unfollow, unfavorite, "
    "unfavourite, unlike, unwatch, unstar, "
    "unshare, unbookmark, unenroll, mark all read, mark all as read, mark forums read, "
    "regenerate key, regenerate keys, regenerate api key, regenerate token, regenerate secret",
    "de": "deaktivieren, veröffentlichung zurückziehen, deinstallieren",
    "fr": "dépublier, désactiver",
    "es": "despublicar, desactivar",
    "it": "annulla pubblicazione, disattiva",
    "pt": "despublicar, desativar",
    "nl": "depubliceren, deactiveren",
    "pl": "dezaktywuj, cofnij publikację",
    "ru": "снять с публикации, деактивировать",
}
CHANGES_WEAK = {
    "en": "disable, reject, suspend, approve, markpatrolled, close, block, unblock, ban, unban, mute, unmute, "
    "kick, lock, "
    "unlock, unpin, upvote, downvote, unarchive, publish, enable, withdraw, decline, impersonate, unlink, unregister, "
    "regenerate, mark as read, mark as unread, add to cart, add to basket, add to bag"
}
