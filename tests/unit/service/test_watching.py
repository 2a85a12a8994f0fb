"""What shows that a path leads to other content, and that each change is one reason to reload."""

from __future__ import annotations

import asyncio
import os

import pytest

from proxy.service.watching import Watch, look_at


def mount(volume, **files):
    """Write a volume as a kubelet does: a directory of its own, then ``..data`` led there in one step."""
    made = volume / f"..{len(list(volume.iterdir()))}"
    made.mkdir()
    for name, text in files.items():
        (made / name).write_text(text)
        if not (volume / name).is_symlink():
            (volume / name).symlink_to(f"..data/{name}")
    (volume / "..data_tmp").symlink_to(made.name)
    (volume / "..data_tmp").replace(volume / "..data")


@pytest.fixture
def volume(tmp_path):
    mount(tmp_path, rules="one", token="first")
    return tmp_path


def appended(path):
    with path.open("a") as file:
        file.write("more")


def linked(volume):
    made = volume / "..other"
    made.mkdir()
    (made / "rules").hardlink_to((volume / "rules").resolve())
    (volume / "..data_tmp").symlink_to(made.name)
    (volume / "..data_tmp").replace(volume / "..data")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda volume: mount(volume, rules="one"), id="a mounted volume led elsewhere, same bytes"),
        pytest.param(linked, id="led to the same file under another path"),
        pytest.param(lambda volume: appended(volume / "rules"), id="written into"),
        pytest.param(lambda volume: (volume / "..data" / "rules").unlink(), id="gone"),
        pytest.param(lambda volume: os.utime(volume / "rules", (1, 1)), id="touched"),
    ],
)
def test_a_change_shows(volume, change):
    before = look_at(str(volume / "rules"))
    change(volume)
    assert look_at(str(volume / "rules")) != before


def test_what_is_not_there_is_no_error_and_shows_when_it_comes(tmp_path):
    path = tmp_path / "rules"
    before = look_at(str(path))
    assert look_at(str(path)) == before
    path.write_text("one")
    assert look_at(str(path)) != before


def test_a_change_is_one_reason_and_the_first_look_another(volume):
    reloads = []
    watch = Watch(lambda: [str(volume / "rules"), str(volume / "token")], lambda: reloads.append(1))
    watch.look()
    assert len(reloads) == 1, "what changed between the start and now"
    watch.look()
    assert len(reloads) == 1
    mount(volume, rules="one", token="second")
    watch.look()
    watch.look()
    assert len(reloads) == 2, "both files at once"


def test_a_file_that_the_new_configuration_names_is_watched_from_then_on(volume):
    paths, reloads = [str(volume / "rules")], []

    def reload():
        reloads.append(1)
        if len(reloads) == 2:
            paths.append(str(volume / "token"))

    watch = Watch(lambda: paths, reload)
    watch.look()
    appended(volume / "rules")
    for _ in range(3):
        watch.look()
    assert len(reloads) == 3, "once more, since what the token was before nobody knows"
    appended(volume / "token")
    watch.look()
    assert len(reloads) == 4


async def test_it_looks_until_it_is_stopped_and_past_a_reload_that_fails(volume):
    looked, told = asyncio.Event(), []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))

    def reload():
        looked.set()
        raise ZeroDivisionError

    watch = Watch(lambda: [str(volume / "rules")], reload, every=0.001)
    watch.start()
    for _ in range(2):
        await looked.wait()
        looked.clear()
        appended(volume / "rules")
    next_look = watch._timer
    watch.stop()
    watch.stop()
    assert next_look.cancelled()
    assert [type(error) for error in told] == [ZeroDivisionError] * 2
