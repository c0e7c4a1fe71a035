//! The letters and the commonest words of Arabic, of Russian, and of languages in their scripts.
//!
//! Weighed in `detect`. Of two languages that a text fits as well, the one that stands first is named.

/// A language in one of our scripts, and what tells it from ours.
pub(super) struct Neighbour {
    pub(super) name: &'static str,
    /// Letters that it uses and ours does not.
    pub(super) letters: &'static str,
    /// Letters that ours uses and it does not.
    pub(super) lacks: &'static str,
    /// Its commonest short words, with spaces between. Those that ours has as well say nothing.
    pub(super) words: &'static str,
}

/// The commonest words of Arabic, with spaces between.
pub(super) const ARABIC_WORDS: &str = "في من على إلى الى أن ان عن مع التي الذي الذين هذا هذه كان كانت قال وقال قالت بعد قبل بين ما \
     لا لم لن هو هي كما قد وقد أو ثم حيث خلال ذلك كل غير إن أي إذا عند عندما حول منذ حتى أكثر \
     فيها فيه بها منها له لها يوم عام ولا وفي ومن";

/// Other languages in the Arabic script.
pub(super) const ARABIC_NEIGHBOURS: &[Neighbour] = &[
    Neighbour {
        name: "Persian",
        letters: "پچژگکیۀ",
        lacks: "ةىيكأإؤ",
        words: "در به از که این را است با های می برای آن شد شده خود بود کرد دارد نیز هم تا یا بر \
                اما",
    },
    Neighbour {
        name: "Urdu",
        letters: "ٹڈڑںےہھکیگچپ",
        lacks: "ةىيكإ",
        words: "کے کی میں ہے اور سے کا کو نے ہیں پر یہ کہ اس تھا ایک بھی",
    },
    Neighbour {
        name: "Pashto",
        letters: "ټډړږښګڼېۍځڅپچژگکی",
        lacks: "ةإ",
        words: "د په چې او ته سره کې له يې دی دا هم",
    },
    Neighbour {
        name: "Kurdish",
        letters: "ڕڵۆێەپچژگکیڤ",
        lacks: "ةىيكأإ",
        words: "لە بۆ کە بە لەگەڵ ئەو ئەم دەکات",
    },
    Neighbour {
        name: "Uyghur",
        letters: "ېۇۈۆەڭپچژگۋ",
        lacks: "ةأإ",
        words: "بىلەن ئۇ بۇ ۋە بىر",
    },
    Neighbour {
        name: "Sindhi",
        letters: "ٻڀٺٽٿڄڃڇڏڌڊڍڙڦڪڳڱڻ",
        lacks: "ةإ",
        words: "۾ جي جو آهي ۽ کي",
    },
];

/// The commonest words of Russian, with spaces between.
pub(super) const RUSSIAN_WORDS: &str = "и в не на что с по как это из к он о его за от для также был была были было но после или \
     при все всё уже году они она оно этом этот эта эти того этого который которые которая \
     которое которых более только между может чтобы их является время есть под со если ещё еще \
     так же мы вы я ты ее её ему им нет когда где там себя свой своей своих него нее них до во \
     об а у бы ли лишь без через перед года лет том тем чем кто очень можно сказал заявил \
     сообщил";

/// Other languages in the Cyrillic script.
pub(super) const CYRILLIC_NEIGHBOURS: &[Neighbour] = &[
    Neighbour {
        name: "Ukrainian",
        letters: "іїєґ",
        lacks: "ыэёъ",
        words: "та що як від він для або є це й у які який яка було був була були із також під з \
                року про але до ще після все всі за мене тебе вже їх цього того не на так лише \
                має може буде",
    },
    Neighbour {
        name: "Belarusian",
        letters: "іў",
        lacks: "ищъ",
        words: "і ў што як гэта ён яна з для у пра якія быў была таксама ад не на",
    },
    Neighbour {
        name: "Bulgarian",
        letters: "",
        lacks: "ыэё",
        words: "да се е са че като със във си ще това тази този тези която който които което бе \
                беше след през най около ги го тя той те така когато един една едно още повече \
                бъде бъдат вече обаче много според заради няма имат както където сред ни какво \
                защо всички всеки другите сме ме ви нея тях преди към върху нещо хора години \
                година каза заяви им му не от за на до при между но или има било съм само също \
                по-добре може",
    },
    Neighbour {
        name: "Macedonian",
        letters: "ѓѕјљњќџ",
        lacks: "ыэёъьщйюя",
        words: "на да се и во од за со е што како не ќе беше до го",
    },
    Neighbour {
        name: "Serbian",
        letters: "ђјљњћџ",
        lacks: "ыэёъьщйюя",
        words: "је да се у на су и од за са као који које није али што до би",
    },
    Neighbour {
        name: "Mongolian",
        letters: "өү",
        lacks: "щ",
        words: "нь юм байна гэж энэ болон бол байсан хийсэн хүн шинэ гурван өдөр нээгдлээ \
                мэдэгдэв болсон тухай хийж",
    },
    Neighbour {
        name: "Kyrgyz",
        letters: "ңөү",
        lacks: "",
        words: "жана менен үчүн бул деп болгон бир ал да эле боюнча анын жаңы күнү адам экенин \
                билдирди бирок",
    },
    Neighbour {
        name: "Tatar",
        letters: "әҗңөүһ",
        lacks: "",
        words: "һәм белән өчен бу дип булган ул да дә буенча кеше яңа көнне итте була",
    },
    Neighbour {
        name: "Kazakh",
        letters: "әғқңөұүһі",
        lacks: "",
        words: "және үшін мен бұл деп бар болып бойынша да де бірақ ол осы жылы еді туралы болды \
                алды айтты кезде оның жаңа адам күні деді екенін",
    },
    Neighbour {
        name: "Bashkir",
        letters: "әҙҡҫғңөүһ",
        lacks: "",
        words: "һәм менән өсөн был тип булған яңы көнө буйынса кеше булды",
    },
    Neighbour {
        name: "Tajik",
        letters: "ғӣқӯҳҷ",
        lacks: "ыщ",
        words: "ва дар аз ба ки бо барои ин аст шуд мебошад",
    },
    Neighbour {
        name: "Uzbek",
        letters: "ўқғҳ",
        lacks: "ыщ",
        words: "ва билан учун бу ҳам бўлган деб эди",
    },
    Neighbour {
        name: "Chechen",
        letters: "ӏ",
        lacks: "",
        words: "а ду цу цо и дара долу",
    },
    Neighbour {
        name: "Chuvash",
        letters: "ӑӗҫӳ",
        lacks: "",
        words: "тата мӗн пулнӑ вӑл ҫак",
    },
    Neighbour {
        name: "Ossetian",
        letters: "ӕ",
        lacks: "",
        words: "ӕмӕ кӕй уый",
    },
    Neighbour {
        name: "Yakut",
        letters: "ҕҥөһү",
        lacks: "",
        words: "уонна буолар бу диэн",
    },
];
