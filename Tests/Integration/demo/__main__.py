"""python -m demo [--renewal | --lets-encrypt] [ZIP]"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from localcloud import LocalCloud
from support.paths import REPOSITORY, function_zip

from demo.lets_encrypt_story import LetsEncryptStory
from demo.renewal_story import RenewalStory
from demo.stage import Stage
from demo.story import Story

STORIES = {"--renewal": RenewalStory, "--lets-encrypt": LetsEncryptStory}


def main() -> int:
    arguments = [argument for argument in sys.argv[1:] if argument not in STORIES]
    story = next((STORIES[argument] for argument in sys.argv[1:] if argument in STORIES), Story)
    code = Path(arguments[0]).resolve() if arguments else function_zip()
    # A minute of the templates' timeouts lasts twelve seconds: enough to boot a server here.
    with LocalCloud(minute=12) as cloud, tempfile.TemporaryDirectory(prefix="stackcert-demo-") as work:
        stage = Stage(cloud, REPOSITORY)
        stage.say(f"A cloud on this machine listens on {cloud.endpoint} (loopback only); nothing here reaches AWS.")
        try:
            story(cloud, stage, code, Path(work)).tell()
        except Exception as failure:  # whatever stops the story is part of what it showed
            stage.check(False, f"the story was told to its end ({type(failure).__name__})", str(failure))
        return stage.summary()


if __name__ == "__main__":
    sys.exit(main())
