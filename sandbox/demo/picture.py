"""`make picture`: the demo's rollouts, one of a model that fails its checks, as one SVG of a terminal."""

import os
import re
import sys
import tempfile
import time
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT

from sandbox.demo.demo import deploy_model, print_scene
from sandbox.demo.rollout_scenes import promote_version, roll_back_version
from sandbox.demo.scene import CONSOLE
from sandbox.sandbox_process import ROOT, stage

PICTURE = ROOT / "docs/rollout.svg"
WIDTH = 80
OWN_FONTS = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
"""Rich's drawing without the fonts of another server: pages that show a picture do not load them."""


def draw_rollout(speed: float = 120) -> str:
    """Play the demo's rollouts, and draw the end of the good one and the whole of the bad one."""
    CONSOLE.width, CONSOLE.record = WIDTH, True
    with tempfile.TemporaryFile() as log, stage(speed=speed, log=log) as on:
        os.environ |= on.environment()
        right = deploy_model(on).right
        for play in (promote_version, roll_back_version):
            start = time.monotonic()
            scene = play(on)
            if play is promote_version:
                CONSOLE.export_text(clear=True)
            print_scene(scene, time.monotonic() - start)
            right &= scene.right
    if not right:
        raise SystemExit("the picture is not drawn: a scene did not end as expected, see above")
    return CONSOLE.export_svg(title="make demo", code_format=OWN_FONTS, unique_id="rollout")


if __name__ == "__main__":
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE
    path.write_text(draw_rollout(), encoding="utf-8")
