//! Tests which lines are invitations.

use super::*;

#[test]
fn report_on_a_newsletter_is_not_an_invitation_to_subscribe() {
    for line in [
        "Subscribe to the harbour newsletter.",
        "All the news of the harbour, delivered to your inbox every morning",
        "Every Friday: our newsletter on boats. Sign up here.",
        "Newsletter abonnieren",
        "The Tide Table: sign up for our weekly newsletter",
        "Suscríbete al boletín del puerto",
        "Enjoyed this? Get our newsletter.",
    ] {
        assert!(is_invitation(line), "{line}");
    }
    for line in [
        "An inbox of the council was the budget of a spy, as the court found on Monday.",
        "The joint newsletter of two chapels ended in May after a quarrel over stamps.",
        "The newsletter that sailors receive at sea was forged on Thursday",
        "Abonnenten des Newsletters klagen gegen den Verlag.",
        "Subscribers receive the newsletter again from Sunday on.",
        "Sign up for the newsletter, the coach told her team",
        "The ferry sails again. Subscribe to our newsletter.",
        "Our advice ended with the words: Sign up for our newsletter",
    ] {
        assert!(!is_invitation(line), "{line}");
    }
}

#[test]
fn sentence_that_starts_like_an_invitation_is_text() {
    for line in [
        "Follow us on Facebook, X and Mastodon.",
        "Support our journalism. Become a member!",
        "Download our app – follow us on X",
        "For more boats, follow us on Mastodon",
        "Want more boats? Click here to join our WhatsApp channel",
        "Follow @bayledger on X",
        "Follow Bay Ledger on Facebook, Mastodon and @bay on Threads",
        "Suivez Le Quai sur Facebook et Instagram",
        "Kövess minket a Facebookon",
        "Bizi Instagram’da takip edin",
        "Unseren WhatsApp-Kanal abonnieren",
        "关注我们的微信公众号",
        "Join us on Telegram: t.me/bay",
        "Sigue las noticias en nuestro canal de WhatsApp",
        "Folgen Sie uns auf Facebook, um nichts zu verpassen",
        "Support Bay Ledger by becoming a member on Patreon",
        "Support our journalism: donate",
        "Unterstützen Sie unseren Journalismus: jetzt spenden",
        "Soutenez notre journalisme : faites un don",
        "Get all the latest news on Telegram",
        "Suivez toute l’actualité du port sur WhatsApp",
        "Читайте новости в Telegram",
        "Download the Bay Ledger app from Google Play",
        "Newsletter bestellen: jeden Morgen das Wichtigste vom Hafen",
        "If you enjoyed this article, please share it",
        "If you found this useful please share it with your friends!",
        "Wenn Ihnen der Artikel gefallen hat, teilen Sie ihn",
    ] {
        assert!(is_invitation(line), "{line}");
    }
    for line in [
        "Follow us on our tour of the old mill, the miller calls",
        "Become a member of the rescue team: the village looks for four climbers",
        "Support our work, the striking drivers asked the town",
        "Share this with your children, the teacher wrote: the ice is thin",
        "Listen to our podcast? No, thought the judge",
        "Subscribe now, a paper urged in 1911, and hundreds did",
        "Follow us on Facebook, the town hall asks",
        "Join us on X: how a film crew left its app behind",
        "Follow the river on foot",
        "Follow the money on Facebook as far as it goes",
        "Follow us on Facebook?",
        "Viele wollen den Kanal bei WhatsApp abonnieren",
        "Like Holm, many users left Facebook and X",
        "Read the latest news on Facebook fines",
        "Follow the news on the ferry",
        "Get the app that counts the seals of the bay",
        "Support our journalism: a bay in three chapters",
        "If you enjoyed the walk, share the map that we drew",
    ] {
        assert!(!is_invitation(line), "{line}");
    }
}
