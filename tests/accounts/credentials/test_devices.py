"""A device remembers which accounts were opened on it, and nobody can write that by hand."""

from __future__ import annotations

from accounts.credentials import devices


def test_a_device_knows_the_accounts_that_were_opened_on_it_last() -> None:
    device = devices.new().opening(1).opening(2).opening(1)
    assert [device.opened_before(account) for account in (1, 2, 3)] == [True, True, False]
    assert device.accounts == (device.mark(1), device.mark(2))
    for account in range(10, 10 + devices.ACCOUNTS_MAX):
        device = device.opening(account)
    assert len(device.accounts) == devices.ACCOUNTS_MAX
    assert not device.opened_before(1)


def test_a_cookie_that_was_changed_is_of_no_device() -> None:
    device = devices.new().opening(1)
    cookie = devices.written(device)
    assert devices.read(cookie) == device
    assert devices.read(cookie[1:]) is None
