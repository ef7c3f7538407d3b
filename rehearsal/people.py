"""Synthetic people: names, login ids, channels, devices and networks, by account number.

None of it belongs to a real person. Mail addresses are at example.com and example.jp. Phone numbers
begin with +81 70/80/90 0, a digit that the Japanese numbering plan does not assign. Networks of
customers are in the shared space 100.64.0.0/10. Networks of attackers are the documentation
networks of RFC 5737, or the benchmarking space 198.18.0.0/15 if there are many. Foreign countries
have the user-assigned codes XA to XD.
"""

from random import Random

FAMILY_NAMES = (
    ("佐藤", "サトウ", "sato"),
    ("鈴木", "スズキ", "suzuki"),
    ("高橋", "タカハシ", "takahashi"),
    ("田中", "タナカ", "tanaka"),
    ("伊藤", "イトウ", "ito"),
    ("渡辺", "ワタナベ", "watanabe"),
    ("山本", "ヤマモト", "yamamoto"),
    ("中村", "ナカムラ", "nakamura"),
    ("小林", "コバヤシ", "kobayashi"),
    ("加藤", "カトウ", "kato"),
    ("吉田", "ヨシダ", "yoshida"),
    ("山田", "ヤマダ", "yamada"),
    ("松本", "マツモト", "matsumoto"),
    ("井上", "イノウエ", "inoue"),
    ("服部", "ハットリ", "hattori"),
    ("新田", "ニッタ", "nitta"),
    ("八田", "ハッタ", "hatta"),
    ("清水", "シミズ", "shimizu"),
    ("長谷川", "ハセガワ", "hasegawa"),
    ("久保", "クボ", "kubo"),
    ("中条", "チュウジョウ", "chujo"),
    ("龍造寺", "リュウゾウジ", "ryuzoji"),
    ("逸見", "ヘンミ", "henmi"),
    ("メアリー", "メアリー", "mary"),
    ("テイラー", "テイラー", "taylor"),
)
GIVEN_NAMES = (
    ("太郎", "タロウ", "taro"),
    ("一郎", "イチロウ", "ichiro"),
    ("花子", "ハナコ", "hanako"),
    ("京子", "キョウコ", "kyoko"),
    ("順子", "ジュンコ", "junko"),
    ("修", "シュウ", "shu"),
    ("涼", "リョウ", "ryo"),
    ("駿", "シュン", "shun"),
    ("裕子", "ユウコ", "yuko"),
    ("健一", "ケンイチ", "kenichi"),
    ("美咲", "ミサキ", "misaki"),
    ("翔太", "ショウタ", "shota"),
    ("由美", "ユミ", "yumi"),
    ("亮平", "リョウヘイ", "ryohei"),
    ("律子", "リツコ", "ritsuko"),
    ("直樹", "ナオキ", "naoki"),
    ("千夏", "チナツ", "chinatsu"),
    ("沙羅", "サラ", "sara"),
    ("ジェーン", "ジェーン", "jane"),
    ("エリー", "エリー", "ellie"),
    ("ローラ", "ローラ", "laura"),
)
NAMES = len(FAMILY_NAMES) * len(GIVEN_NAMES)

# In the order of their official numbers.
PREFECTURES = (
    "Hokkaido",
    "Aomori",
    "Iwate",
    "Miyagi",
    "Akita",
    "Yamagata",
    "Fukushima",
    "Ibaraki",
    "Tochigi",
    "Gunma",
    "Saitama",
    "Chiba",
    "Tokyo",
    "Kanagawa",
    "Niigata",
    "Toyama",
    "Ishikawa",
    "Fukui",
    "Yamanashi",
    "Nagano",
    "Gifu",
    "Shizuoka",
    "Aichi",
    "Mie",
    "Shiga",
    "Kyoto",
    "Osaka",
    "Hyogo",
    "Nara",
    "Wakayama",
    "Tottori",
    "Shimane",
    "Okayama",
    "Hiroshima",
    "Yamaguchi",
    "Tokushima",
    "Kagawa",
    "Ehime",
    "Kochi",
    "Fukuoka",
    "Saga",
    "Nagasaki",
    "Kumamoto",
    "Oita",
    "Miyazaki",
    "Kagoshima",
    "Okinawa",
)

# Eight card issuers that do not exist, each with the brand of its cards.
ISSUERS = (
    ("AKEBONO", "visa"),
    ("HOSHI", "visa"),
    ("KAEDE", "mastercard"),
    ("MINATO", "mastercard"),
    ("SUZURAN", "jcb"),
    ("TSUBASA", "jcb"),
    ("WAKABA", "visa"),
    ("YUUHI", "amex"),
)

ATTACK_NETWORKS_ABROAD = (
    *(f"203.0.113.{host}" for host in range(7, 29)),
    *(f"198.51.100.{host}" for host in range(91, 103)),
)
ATTACK_NETWORKS_JAPAN = tuple(f"198.51.100.{host}" for host in range(201, 207))
ATTACK_COUNTRIES = ("XA", "XA", "XA", "XB", "XC", "XD")

# An odd factor maps the numbers below 2**32 one to one onto themselves, so no two devices share a
# reference.
_DEVICE_FACTOR = 0x9E3779B1
_SECOND_DEVICE = 1 << 30
_ATTACK_DEVICE = 1 << 31


def account_ref(number: int) -> str:
    return f"A{number + 1:08d}"


def wallet_ref(number: int) -> str:
    return f"W{number + 1:08d}"


def login_id(number: int, name: int) -> str:
    """Returns a login id. The ids of numbers without an account look the same."""
    family, given = divmod(name, len(GIVEN_NAMES))
    return f"{GIVEN_NAMES[given][2]}.{FAMILY_NAMES[family][2]}{number + 1}"


def email(number: int, name: int) -> str:
    return f"{login_id(number, name)}@example.{'jp' if number % 3 == 0 else 'com'}"


def phone(number: int) -> str:
    return f"+81{(70, 80, 90)[number % 3]}0{number // 3:07d}"


def display_name(name: int) -> str:
    family, given = divmod(name, len(GIVEN_NAMES))
    return f"{FAMILY_NAMES[family][0]} {GIVEN_NAMES[given][0]}"


def kana_name(name: int) -> str:
    """Returns full-width katakana with an ideographic space, small kana and long vowels."""
    family, given = divmod(name, len(GIVEN_NAMES))
    return f"{FAMILY_NAMES[family][1]}　{GIVEN_NAMES[given][1]}"


def device_ref(number: int, *, second: bool = False) -> str:
    offset = _SECOND_DEVICE if second else 0
    return f"d{(number + offset) * _DEVICE_FACTOR & 0xFFFFFFFF:08x}"


def attack_device_ref(number: int) -> str:
    return f"d{(number + _ATTACK_DEVICE) * _DEVICE_FACTOR & 0xFFFFFFFF:08x}"


def scattered_network(rng: Random) -> str:
    """Returns one of 131,072 addresses. Each is used for one try."""
    host = int(rng.random() * (1 << 17))
    return f"198.{18 + (host >> 16)}.{host >> 8 & 255}.{host & 255}"


def home_network(number: int) -> str:
    """Returns a carrier address that three customers share. Customers with neighbouring numbers
    have distant networks.
    """
    host = number // 3 * 2654435761 & 0x3FFFFF
    return f"100.{64 + (host >> 16)}.{host >> 8 & 255}.{host & 255}"


def home_prefecture(number: int) -> int:
    """Returns an index into `PREFECTURES`. Every third customer lives in one of the five most
    populous.
    """
    if number % 3 == 0:
        return (12, 13, 26, 22, 10)[number // 3 % 5]
    return number * 31 % len(PREFECTURES)


def merchant_ref(prefecture: int, store: int) -> str:
    return f"M{prefecture + 1:02d}{store:04d}"
