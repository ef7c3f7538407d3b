"""The forms of an attack as data: that of the case, and others that detection must find."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from rehearsal.case_files import DAY, HOUR
from rehearsal.people import (
    ATTACK_COUNTRIES,
    ATTACK_NETWORKS_ABROAD,
    attack_device_ref,
    scattered_network,
)

SCATTERED_DEVICES_FROM = 1 << 24


@dataclass(frozen=True, slots=True)
class Shape:
    """One form: where the attack's tries come from, how often they try one id, and when.

    `networks` are few addresses with one device each. Without them, every try comes from another
    address and device in the country. `spell` replaces the case's times of the first two waves. It
    has the seconds after the launch at which unknown ids begin, wrong passwords begin, and both
    end. With `robs` there are victims. With `mistakes` many customers try their old passwords at
    once after the mass reset.
    """

    name: str
    says: str
    networks: tuple[str, ...] = ()
    countries: tuple[str, ...] = ("JP",)
    tries_per_login_id_max: int | None = None
    spell: tuple[int, int, int] | None = None
    robs: bool = True
    mistakes: bool = False

    def place(self, rng: Random, attempt: int) -> str:
        """Returns network, device and country of one try."""
        if not self.networks:
            device = attack_device_ref(SCATTERED_DEVICES_FROM + attempt)
            return f"{scattered_network(rng)},{device},JP"
        at = int(rng.random() * len(self.networks))
        country = self.countries[at % len(self.countries)]
        return f"{self.networks[at]},{attack_device_ref(at)},{country}"


_ALL = (
    Shape(
        name="list_type",
        says="the case: forty networks, almost all abroad, three waves in two days",
        networks=ATTACK_NETWORKS_ABROAD,
        countries=ATTACK_COUNTRIES,
    ),
    Shape(
        name="slow_distributed",
        says="one try per id, each from another address and device in the country, over ten days",
        tries_per_login_id_max=1,
        spell=(DAY // 2, DAY // 2 + 6 * HOUR, 10 * DAY + DAY // 2),
    ),
    Shape(
        name="single_network",
        says="eight addresses of one network in the country",
        networks=tuple(f"203.0.113.{host}" for host in range(200, 208)),
    ),
    Shape(
        name="honest_mistakes",
        says="no attack: after the reset many customers try old passwords and wrong ids at once",
        robs=False,
        mistakes=True,
    ),
)
SHAPES: Mapping[str, Shape] = {shape.name: shape for shape in _ALL}
LIST_TYPE = SHAPES["list_type"]
