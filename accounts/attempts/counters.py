"""Counters over sliding windows, shared by all processes through Redis or Valkey."""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)

# A window moves on by a sixth at a time. A count covers between five and six sixths of it.
PARTS = 6
# No attempt waits long for a server that is down. Only some attempts ask it again.
ANSWER_S_MAX = 0.5
ASK_AGAIN_S = 5.0
# While the server is down each process counts by itself. Attempts spread over the processes, so
# each allows only this part of a limit.
ALONE_DIVISOR = 4
ALONE_KEYS_MAX = 50_000


@dataclass(frozen=True, slots=True)
class Counter:
    """A count over a window. With a `member`, it counts the different members.

    `name` and `member` are stored in the server unchanged. They must not hold personal data in
    clear.
    """

    name: str
    window_s: int
    member: str = ""

    def parts(self, at_s: float) -> list[str]:
        """Returns the keys of the window's parts at that second, the newest first."""
        newest = int(at_s * PARTS // self.window_s)
        head = f"{settings.COUNTERS_PREFIX}:{self.name}:{self.window_s}"
        return [f"{head}:{newest - age}" for age in range(PARTS)]


@dataclass(frozen=True, slots=True)
class Count:
    """Raise the counter by `step` (a member is added once), unless it has reached `most` already."""

    counter: Counter
    step: int = 1
    most: int | None = None

    def unlimited(self) -> Count:
        return replace(self, most=None)


@dataclass(frozen=True, slots=True)
class Counted:
    """The values of the counters. When a counter was full, `reached` is the index of the first full
    one, nothing was raised and `now` is empty.
    """

    now: list[int] = field(default_factory=list)
    reached: int | None = None


def count(counts: Sequence[Count], *, at_s: float) -> Counted:
    """All counters are raised, or none. The check and the raise are one step, also when many
    processes ask at once.

    While the server does not answer, this process counts by itself and allows less. It must not let
    everybody try without a limit. It must not refuse everybody.
    """
    if not counts:
        return Counted()
    if time.monotonic() >= _lost_until[0]:
        try:
            return _shared(settings.REDIS_URL)(counts, at_s)
        except (redis.RedisError, OSError) as error:
            _lost_until[0] = time.monotonic() + ASK_AGAIN_S
            log.error("the counters' server does not answer: %s", type(error).__name__)
    return _alone(counts, at_s)


_lost_until = [0.0]

# KEYS: the parts of every counter. ARGV: the number of parts, then for every counter its limit (-1
# for none), its step, the seconds it lives and its member. Answers {index of the full counter} or
# {0, what stands in each}.
_SCRIPT = """
local parts, counters = tonumber(ARGV[1]), #KEYS / tonumber(ARGV[1])
local function about(i)
    local keys = {}
    for part = 1, parts do keys[part] = KEYS[(i - 1) * parts + part] end
    local first = 1 + (i - 1) * 4
    return keys, tonumber(ARGV[first + 1]), tonumber(ARGV[first + 2]), ARGV[first + 3], ARGV[first + 4]
end
local function standing(keys, member)
    if member ~= '' then return redis.call('PFCOUNT', unpack(keys)) end
    local total = 0
    for _, value in ipairs(redis.call('MGET', unpack(keys))) do
        total = total + (tonumber(value) or 0)
    end
    return total
end
for i = 1, counters do
    local keys, most, _, _, member = about(i)
    if most >= 0 and standing(keys, member) >= most then return {i} end
end
local answer = {0}
for i = 1, counters do
    local keys, _, step, lives_s, member = about(i)
    if step ~= 0 then
        if member ~= '' then redis.call('PFADD', keys[1], member)
        else redis.call('INCRBY', keys[1], step) end
        redis.call('EXPIRE', keys[1], lives_s)
    end
    answer[i + 1] = standing(keys, member)
end
return answer
"""


class _Shared:
    """The counters in the server that all processes share."""

    def __init__(self, url: str) -> None:
        # It tries once more, because a restarted server drops its connections.
        timeouts: dict[str, Any] = {"socket_timeout": ANSWER_S_MAX, "retry": Retry(NoBackoff(), 1)}
        if not url.startswith("unix:"):
            timeouts["socket_connect_timeout"] = ANSWER_S_MAX
        self._script = redis.Redis.from_url(url, **timeouts).register_script(_SCRIPT)

    def __call__(self, counts: Sequence[Count], at_s: float) -> Counted:
        keys: list[str] = []
        arguments: list[Any] = [PARTS]
        for each in counts:
            keys += each.counter.parts(at_s)
            most = -1 if each.most is None else each.most
            arguments += [most, each.step, 2 * each.counter.window_s, each.counter.member]
        full, *now = self._script(keys=keys, args=arguments)
        return Counted(reached=full - 1) if full else Counted(now=now)


@functools.cache
def _shared(url: str) -> _Shared:
    return _Shared(url)


class _Alone:
    """The counters in this process's memory. The least recently used are removed first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers: OrderedDict[str, int] = OrderedDict()
        self._members: OrderedDict[str, set[str]] = OrderedDict()

    def __call__(self, counts: Sequence[Count], at_s: float) -> Counted:
        with self._lock:
            for index, each in enumerate(counts):
                if each.most is not None:
                    most = max(each.most // ALONE_DIVISOR, 1)
                    if self._standing(each.counter, at_s) >= most:
                        return Counted(reached=index)
            for each in counts:
                self._raise(each, at_s)
            return Counted(now=[self._standing(each.counter, at_s) for each in counts])

    def _standing(self, counter: Counter, at_s: float) -> int:
        parts = counter.parts(at_s)
        if counter.member:
            return len(set().union(*(self._members.get(part, set()) for part in parts)))
        return sum(self._numbers.get(part, 0) for part in parts)

    def _raise(self, each: Count, at_s: float) -> None:
        part = each.counter.parts(at_s)[0]
        if each.step and each.counter.member:
            members = self._members.setdefault(part, set())
            if len(members) < ALONE_KEYS_MAX:
                members.add(each.counter.member)
            self._members.move_to_end(part)
        elif each.step:
            self._numbers[part] = self._numbers.get(part, 0) + each.step
            self._numbers.move_to_end(part)
        for kept in (self._numbers, self._members):
            while len(kept) > ALONE_KEYS_MAX:
                kept.popitem(last=False)


_alone = _Alone()
