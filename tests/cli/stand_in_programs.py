"""Programs that stand in for crontab(1) and systemctl(1): what a test installs stays in its folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_CRONTAB = """#!/bin/sh
case "$1" in
-l) [ -f {table} ] && exec cat {table}; echo "no crontab for tester" >&2; exit 1 ;;
-r) rm {table} ;;
-)  [ -f {refusal} ] && {{ cat {refusal} >&2; exit 1; }}; cat > {table} ;;
esac
"""

#: Notes what it is told; `enable` makes the links that systemd makes.
_SYSTEMCTL = """#!/bin/sh
echo "$*" >> {told}
[ -f {refusal} ] && {{ cat {refusal} >&2; exit 1; }}
wants="$XDG_CONFIG_HOME/systemd/user/timers.target.wants"
if [ "$2" = enable ]; then
    shift 2; mkdir -p "$wants"
    for unit; do ln -sf "../$unit" "$wants/$unit"; done
fi
"""


@dataclass(frozen=True)
class StandIn:
    """A folder for PATH with both programs, and what they were given."""

    folder: Path

    @property
    def table(self) -> Path:
        """The crontab; no file when there is none."""
        return self.folder / "table"

    @property
    def told(self) -> list[str]:
        """What systemctl was told, call by call."""
        file = self.folder / "told"
        return file.read_text().splitlines() if file.exists() else []

    def refuse(self, program: str, message: str) -> None:
        """Make `program` fail from now on."""
        (self.folder / f"{program}.refusal").write_text(message)


def stand_ins(folder: Path) -> StandIn:
    """Both programs in `folder`, which is made."""
    folder.mkdir()
    for name, text in (("crontab", _CRONTAB), ("systemctl", _SYSTEMCTL)):
        words = {"table": folder / "table", "told": folder / "told", "refusal": folder / f"{name}.refusal"}
        (folder / name).write_text(text.format(**words))
        (folder / name).chmod(0o755)
    return StandIn(folder)
