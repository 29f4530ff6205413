//! Keys and patterns as users of the crate see them.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use larder::Key;
use larder::key::pattern::{PATTERN_BYTES_MAX, Pattern, PatternError, PatternKind};
use larder::key::shapes::{ApiKey, GenericKey, Params, UserKey, VenueKey};
use larder::key::{EncodedKey, text};
use larder::record::Name;

mod readable_keys {
    use larder::ReadableKey;
    use larder::key::StoredParts;
    use larder::key::shapes::GenericKey;

    use super::*;

    #[derive(Debug, Clone, PartialEq, Key, ReadableKey)]
    #[key(text = "page")]
    struct Page<T> {
        user: T,
        numbers: (i8, u128, Option<bool>),
        r#type: Cow<'static, str>,
    }

    #[derive(Debug, Clone, PartialEq, Key, ReadableKey)]
    enum Board {
        All,
        #[key(text = "by-week")]
        Week(u16, u8),
        Of {
            player: Box<str>,
        },
    }

    /// Fingerprints of what is read differently differ.
    #[test]
    fn a_fingerprint_tells_types_names_and_order_apart() {
        #[derive(Key, ReadableKey)]
        struct Renamed {
            number: u64,
        }
        #[derive(Key, ReadableKey)]
        struct Same {
            id: u32,
        }
        #[derive(Key, ReadableKey)]
        struct Text {
            id: String,
        }
        #[derive(Key, ReadableKey)]
        #[key(text = "x")]
        struct Labelled {
            id: u64,
        }
        #[derive(Key, ReadableKey)]
        struct Id {
            id: u64,
        }
        assert_eq!(Id::FINGERPRINT, Same::FINGERPRINT, "numbers of all widths are one");
        let all = [
            Id::FINGERPRINT,
            Renamed::FINGERPRINT,
            Text::FINGERPRINT,
            Labelled::FINGERPRINT,
            Board::FINGERPRINT,
            <(u64, String)>::FINGERPRINT,
            <(String, u64)>::FINGERPRINT,
            <Vec<u64>>::FINGERPRINT,
            <Option<u64>>::FINGERPRINT,
            i64::FINGERPRINT,
            u128::FINGERPRINT,
            GenericKey::<()>::FINGERPRINT,
        ];
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    }

    /// The name of the cache comes first: a kind, the letter, an end.
    fn stored<K: Key + ?Sized>(key: &K) -> Vec<u8> {
        EncodedKey::new("c", key).as_bytes()[3..].to_vec()
    }

    #[track_caller]
    fn check<K: ReadableKey + std::fmt::Debug + PartialEq>(key: K) {
        let stored = stored(&key);
        assert_eq!(K::read(&mut StoredParts::of(&stored)).as_ref(), Some(&key));
        for cut in 0..stored.len() {
            assert_ne!(K::read(&mut StoredParts::of(&stored[..cut])).as_ref(), Some(&key), "{cut}");
        }
    }

    #[test]
    fn what_was_stored_is_read_back() {
        for number in [0, 7, u64::MAX] {
            check(Page {
                user: number,
                numbers: (i8::MIN, u128::MAX - 1, Some(false)),
                r#type: Cow::Borrowed("a\u{0}b"),
            });
        }
        check(Page { user: String::new(), numbers: (0, 0, None), r#type: Cow::Borrowed("") });
        check(Board::All);
        check(Board::Week(2026, 48));
        check(Board::Of { player: "Ada".into() });
        check((vec![1_u8, 0, 255], vec![String::from("x")], [Some('ß'), None], ()));
        check((Arc::<str>::from("text"), Box::new(3_i64)));
        check(UserKey::new(7_u64, "inbox").params(GenericKey::new("unread")));
        check(Params::new().with("page", 2).with("a&b", "c=d"));
    }

    #[test]
    fn parts_of_another_key_are_none() {
        let (text, large, list) = (stored("7"), stored(&300_u64), stored(&(u64::MAX, 1_u64)));
        assert_eq!(u64::read(&mut StoredParts::of(&text)), None);
        assert_eq!(u8::read(&mut StoredParts::of(&large)), None, "it does not fit");
        assert_eq!(Board::read(&mut StoredParts::of(&text)), None, "no variant has this text");
        // It says that it has 2^64 - 1 elements, which take no bytes each.
        assert_eq!(<Vec<()>>::read(&mut StoredParts::of(&list)), None);
        assert_eq!(<Vec<u64>>::read(&mut StoredParts::of(&list)), None);
        for damaged in [&[0xEE][..], &[0x02, b'x'], &[0x10, 1], &[]] {
            assert_eq!(u64::read(&mut StoredParts::of(damaged)), None);
            assert_eq!(String::read(&mut StoredParts::of(damaged)), None);
        }
    }
}

mod derived_keys {
    use super::*;

    #[derive(Key)]
    struct Named {
        user: u64,
        r#type: &'static str,
    }

    #[derive(Key)]
    struct Tuple(i8, Option<char>);

    #[derive(Key)]
    struct Unit;

    #[derive(Key)]
    #[key(text = "room")]
    struct Labelled<T> {
        id: T,
    }

    #[derive(Key)]
    struct Borrowed<'a, T, const N: usize> {
        name: &'a str,
        list: [T; N],
    }

    #[derive(Key)]
    enum Board {
        All,
        #[key(text = "by-week")]
        Week(u16, u8),
        Of {
            player: Box<str>,
        },
        Nested(Box<Board>),
    }

    #[derive(Key)]
    enum Never {}

    #[track_caller]
    fn check<K: Key>(key: K, expected: &str) {
        assert_eq!(text("c", &key), expected);
        assert_eq!(EncodedKey::new("c", &key).to_string(), expected);
    }

    #[test]
    fn fields_are_shown_in_order() {
        check(Named { user: 7, r#type: "a:b" }, "c:7:a%3Ab");
        check(Tuple(-1, Some('x')), "c:-1:some:x");
        check(Tuple(-1, None), "c:-1:none");
        check(Unit, "c");
        check(Labelled { id: 7_u64 }, "c:room:7");
        check(Borrowed { name: "n", list: [true, false] }, "c:n:2:true:false");
        check(Board::All, "c:All");
        check(Board::Week(2026, 47), "c:by-week:2026:47");
        check(Board::Of { player: "p%".into() }, "c:Of:p%25");
        check(Board::Nested(Box::new(Board::All)), "c:Nested:All");
        check(None::<Never>, "c:none");
    }

    #[test]
    fn common_types_are_keys() {
        check((1_u8, 2_u16, 3_u32, 4_u64, 5_usize, -6_i16, -7_i32, -8_i64), "c:1:2:3:4:5:-6:-7:-8");
        check(u128::MAX - 1, "c:fffffffffffffffffffffffffffffffe");
        check((String::from("s"), Box::<str>::from("b"), Arc::<str>::from("a")), "c:s:b:a");
        check((Cow::Borrowed("w"), "\r\n"), "c:w:%0D%0A");
        check(vec!["a", "b"], "c:2:a:b");
        check(Vec::<u32>::new(), "c:0");
        check([1_u16, 2], "c:2:1:2");
        check((vec![0_u8, 255], [1_u8, 2]), "c:00ff:0102");
        check((), "c");
        check(Some(None::<bool>), "c:some:none");
    }

    #[test]
    fn a_list_does_not_pass_for_the_key_after_it() {
        let one = EncodedKey::new("c", &(vec!["a"], vec!["b", "c"]));
        let other = EncodedKey::new("c", &(vec!["a", "b"], vec!["c"]));
        assert_ne!(one, other);
    }
}

mod shapes {
    use super::*;

    /// Whether invalidating `prefix` kills `key`, a key that is stored by its parts: each whole part
    /// ends a prefix. Where `FF` follows, the text goes on after a NUL.
    fn covers<P: Key, K: Key>(prefix: &P, key: &K) -> bool {
        let named = Name::prefix("c", prefix);
        let whole = EncodedKey::new("c", key);
        let rest = whole.as_bytes().strip_prefix(named.bytes());
        rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(&[0xFF]))
    }

    fn params() -> Params {
        Params::new().with("page", 2).with("limit", 20)
    }

    #[test]
    fn texts_have_the_documented_shapes() {
        let week = GenericKey::new("leaderboard").arguments(("weekly", 3_u8));
        let list = ApiKey::new("tournaments", "list");
        let history = UserKey::new(7_u64, "history");
        let tables = VenueKey::new("v:1", "tables");
        let texts = [
            (text("c", &GenericKey::new("leaderboard")), "c:leaderboard"),
            (text("c", &week), "c:leaderboard:weekly:3"),
            (text("c", &list), "c:tournaments:list"),
            (text("c", &list.clone().params(params())), "c:tournaments:list:limit=20&page=2"),
            (text("c", &history), "c:user:7:history"),
            (text("c", &history.clone().params(params())), "c:user:7:history:limit=20&page=2"),
            (text("c", &UserKey::all_of(7_u64)), "c:user:7"),
            (text("c", &tables), "c:venue:v%3A1:tables"),
            (text("c", &tables.clone().params(("open", true))), "c:venue:v%3A1:tables:open:true"),
            (text("c", &VenueKey::all_of("v")), "c:venue:v"),
        ];
        for (found, expected) in texts {
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn the_order_of_parameters_does_not_matter() {
        let pairs = [("b", "2"), ("a", "1"), ("ab", "3"), ("a=", "4"), ("", "5")];
        for order in [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 0, 4, 1, 3], [1, 3, 0, 2, 4]] {
            let mut params = Params::new();
            for (name, value) in order.map(|place| pairs[place]) {
                params = params.with(name, value);
            }
            assert_eq!(text("c", &params), "c:=5&a=1&a%253D=4&ab=3&b=2");
        }
    }

    #[test]
    fn different_parameters_are_different_keys() {
        let all = [
            Params::new(),
            Params::new().with("", ""),
            Params::new().with("a", "b"),
            Params::new().with("a", "b").with("a", "b"),
            Params::new().with("a", "b").with("c", "d"),
            Params::new().with("a", "b&c=d"),
            Params::new().with("a", "b%26c%3Dd"),
            Params::new().with("a", "b&c").with("e", "d"),
            Params::new().with("a", "b").with("c&e", "d"),
            Params::new().with("a=b", ""),
            Params::new().with("a", "=b"),
            Params::new().with("a", 1).with("a", 2),
            Params::new().with("a", 2).with("a", 1),
            Params::new().with("a", "1,2"),
        ];
        let keys: HashSet<_> = all.iter().map(|params| EncodedKey::new("c", params)).collect();
        assert_eq!(keys.len(), all.len());
        let texts: HashSet<_> = all.iter().map(|params| text("c", params)).collect();
        assert_eq!(texts.len(), all.len());
    }

    #[test]
    fn the_prefix_of_a_user_drops_all_of_one_user_and_nobody_else() {
        let prefix = UserKey::all_of(1_u64);
        assert!(covers(&prefix, &UserKey::new(1_u64, "history")));
        assert!(covers(&prefix, &UserKey::new(1_u64, "").params(params())));
        assert!(!covers(&prefix, &UserKey::new(10_u64, "history")));
        assert!(!covers(&prefix, &UserKey::new("1", "history")));
        assert!(!covers(&prefix, &VenueKey::new(1_u64, "history")));

        let named = UserKey::all_of("a");
        assert!(covers(&named, &UserKey::new("a", "x")));
        for other in ["a:x", "ab", "a\0", "A", ""] {
            assert!(!covers(&named, &UserKey::new(other, "x")), "{other:?}");
        }
    }

    #[test]
    fn the_prefix_of_a_venue_drops_all_of_one_venue_and_nobody_else() {
        let prefix = VenueKey::all_of(1_u64);
        assert!(covers(&prefix, &VenueKey::new(1_u64, "tables").params((2_u8, 3_u8))));
        assert!(!covers(&prefix, &VenueKey::new(10_u64, "tables")));
        assert!(!covers(&prefix, &UserKey::new(1_u64, "tables")));
    }

    #[test]
    fn a_resource_drops_its_parameters_and_a_controller_its_calls() {
        let history = UserKey::new(1_u64, "history");
        assert!(covers(&history, &history.clone().params(params())));
        assert!(!covers(&history, &UserKey::new(1_u64, "history2").params(params())));
        let call = ApiKey::new("users", "list").params(params());
        assert!(covers(&ApiKey::all_of("users"), &call));
        assert!(!covers(&ApiKey::all_of("user"), &call));
    }
}

mod patterns {
    use super::*;

    fn glob(source: &str) -> Pattern {
        Pattern::glob(source).expect("a valid glob")
    }

    fn regex(source: &str) -> Pattern {
        Pattern::regex(source).expect("a valid regular expression")
    }

    #[track_caller]
    fn check(pattern: Pattern, matching: &[&str], others: &[&str]) {
        for text in matching {
            assert!(pattern.matches(text), "{pattern} must match {text:?}");
            let prefix = pattern.literal_prefix();
            assert!(text.starts_with(prefix), "{prefix:?} is no prefix of {text:?}");
        }
        for text in others {
            assert!(!pattern.matches(text), "{pattern} must not match {text:?}");
        }
    }

    #[test]
    fn a_glob_matches_the_whole_text() {
        check(glob("user:1"), &["user:1"], &["user:10", "xuser:1", "user:1\n", "User:1", ""]);
        check(glob("user:1:*"), &["user:1:", "user:1:a:b"], &["user:1", "user:10:a"]);
        check(glob("*:1"), &["user:1", "a:b:1", ":1"], &["user:11", "1"]);
        check(glob("a**b"), &["ab", "a\nb", "aéb"], &["abc"]);
        check(glob("a?c"), &["abc", "aéc", "a:c", "a\nc"], &["ac", "abbc"]);
        check(glob("*"), &["", "a", "\n"], &[]);
        check(glob("a|b"), &["a|b"], &["a", "b"]);
        check(glob("a.c+(x)$^{2}#-&~ "), &["a.c+(x)$^{2}#-&~ "], &["abc+(x)$^{2}#-&~ "]);
    }

    #[test]
    fn classes_and_escapes_of_a_glob() {
        check(glob("[abc]"), &["a", "b", "c"], &["d", "", "ab"]);
        check(glob("[a-c]x"), &["ax", "bx", "cx"], &["dx", "-x"]);
        check(glob("[!a-c]"), &["d", "é", "\n", "!"], &["a", "b", ""]);
        check(glob("[^a]"), &["b", "^"], &["a"]);
        check(glob("[a^!]"), &["a", "^", "!"], &["b"]);
        check(glob("[a-]"), &["a", "-"], &["b", "]"]);
        check(glob("[-a]"), &["a", "-"], &["b"]);
        check(glob(r"[\]\-\\]"), &["]", "-", r"\"], &["a"]);
        check(glob(r"[a\-c]"), &["a", "-", "c"], &["b"]);
        check(glob(r"[\!a]"), &["!", "a"], &["b", r"\"]);
        check(glob("[a-c-e]"), &["b", "-", "e"], &["d"]);
        check(glob("[[a&&b~~c]"), &["[", "a", "&", "~"], &["]", "e"]);
        check(glob("[:alpha:]]"), &["a]", ":]"], &["b]", "a"]);
        check(glob(r"\*\?\[\\a"), &[r"*?[\a"], &["x?[a"]);
        check(glob(r"a]b"), &["a]b"], &["ab"]);
    }

    #[test]
    fn a_regular_expression_matches_the_whole_text() {
        check(regex("user:1"), &["user:1"], &["user:10", "user:1\n", "xuser:1"]);
        check(regex("a|ab"), &["a", "ab"], &["abb", "xa"]);
        check(regex("ab*"), &["a", "abb"], &["b"]);
        check(regex("ab?c"), &["ac", "abc"], &["a"]);
        check(regex("ab{0}c"), &["ac"], &["abc"]);
        check(regex("ab+"), &["ab", "abb"], &["a"]);
        check(regex("(?m)^a$"), &["a"], &["a\nb"]);
        check(regex("(?i)user:[0-9]+"), &["USER:12"], &["user:"]);
        check(regex("(?x) a # comment\n"), &["a"], &["a # comment"]);
        check(regex(r"a\.b"), &["a.b"], &["axb"]);
    }

    #[test]
    fn what_is_no_pattern_is_refused_with_the_field_and_the_limit() {
        let glob = |source: &str| Pattern::glob(source).expect_err("misuse").to_string();
        let regex = |source: &str| Pattern::regex(source).expect_err("misuse").to_string();

        assert_eq!(glob(""), "pattern: is empty, which matches no key; a glob `*` matches every key");
        assert_eq!(regex(""), glob(""));
        let long = "a".repeat(PATTERN_BYTES_MAX + 1);
        assert_eq!(glob(&long), "pattern: has 1025 bytes, the limit is 1024 bytes");
        assert_eq!(regex(&long), glob(&long));
        assert_eq!(glob("ab[c"), "pattern: at byte 2: `[` has no `]`");
        assert_eq!(glob("é[]"), "pattern: at byte 2: the class is empty; write `\\]` for a bracket");
        assert_eq!(glob("[!]"), "pattern: at byte 0: the class is empty; write `\\]` for a bracket");
        assert_eq!(glob("[b-a]"), "pattern: at byte 1: the range ends before it begins");
        assert_eq!(glob("[a-"), "pattern: at byte 0: `[` has no `]`");
        assert_eq!(
            glob("a\\"),
            "pattern: at byte 1: `\\` has nothing to escape; write `\\\\` for itself"
        );
        assert!(regex("a)|(b").starts_with("pattern: is no regular expression: "));
        assert!(regex("(").starts_with("pattern: is no regular expression: "));
        assert_eq!(
            regex("(?x) a # comment"),
            "pattern: its last comment (of `(?x)`) does not end with a newline"
        );
        assert_eq!(
            regex(r"(\w{500}){500}"),
            "pattern: takes more memory than the limit of 4194304 bytes when compiled"
        );
    }

    #[test]
    fn every_glob_within_the_limit_compiles() {
        for piece in ["?", "*?", "[!a]", "[!é]", "é", "[a-é]", r"\*", "[\u{80}-\u{10FFFF}]"] {
            let source = piece.repeat(PATTERN_BYTES_MAX / piece.len());
            let pattern = Pattern::glob(&source);
            assert!(pattern.is_ok(), "{piece}: {}", pattern.expect_err("checked"));
        }
    }

    #[test]
    fn a_key_is_matched_by_its_text() {
        let pattern = glob("pages:7:*");
        assert!(pattern.matches_key(&EncodedKey::new("pages", &(7_u64, "a:b"))));
        assert!(!pattern.matches_key(&EncodedKey::new("pages", &(70_u64, "a"))));
        assert!(!pattern.matches_key(&EncodedKey::new("pages", &7_u64)));
        assert!(glob("pages:a%3Ab").matches_key(&EncodedKey::new("pages", "a:b")));
        assert!(!glob("pages:a:b").matches_key(&EncodedKey::new("pages", "a:b")));
    }

    #[test]
    fn a_hashed_key_is_matched_by_every_pattern_that_may_match_its_cache() {
        let key = EncodedKey::new("pages", &(7_u64, "k".repeat(600)));
        assert!(key.is_hashed());
        for source in ["*", "p*", "pages:*", "pages:8:*", "pages:7", "?ages:7", "[p]ages:*", "*:x"] {
            assert!(glob(source).matches_key(&key), "{source}");
        }
        for source in ["pagesx:*", "page:*", "x*"] {
            assert!(!glob(source).matches_key(&key), "{source}");
        }
        for source in ["pages:x", "x|y", "pages?:x", "(x)"] {
            assert!(regex(source).matches_key(&key), "{source}");
        }
        assert!(!regex("users:.*").matches_key(&key));
        let odd = EncodedKey::new("a:b", &"k".repeat(600));
        assert!(glob("a%3Ab:*").matches_key(&odd));
        assert!(!glob("a:b:*").matches_key(&odd));
    }

    #[test]
    fn a_pattern_is_its_kind_and_its_source() {
        let pattern = glob("user:[1]*");
        assert_eq!(pattern.kind(), PatternKind::Glob);
        assert_eq!(pattern.source(), "user:[1]*");
        assert_eq!(pattern.literal_prefix(), "user:");
        assert_eq!(pattern.to_string(), "glob user:[1]*");
        let again = Pattern::new(pattern.kind(), pattern.source()).expect("it was one before");
        assert_eq!(again, pattern);
        assert_ne!(glob("a"), regex("a"));
        assert_ne!(glob("a"), glob("b"));
        assert_eq!(HashSet::from([glob("a"), regex("a"), glob("a")]).len(), 2);
        assert_eq!(Pattern::glob(""), Err(PatternError::Empty));
    }
}
