"""The defaults that `%config MlxMagics` shows and sets; unknown names get a hint."""

import sys
from typing import Any

from traitlets import TraitError
from traitlets.config import Config

from .. import settings
from ..errors import UsageProblem, close_matches, did_you_mean
from ..plain import one_line


class NoSuchSetting(UsageProblem, AttributeError):
    """`%config MlxMagics.x` asks for what there isn't."""


class MlxMagics(settings.Settings):
    """Defaults of mlx_magic's magics. The name is what a person types after %config."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # whatever IPython looks for in any object
            raise AttributeError(name)
        raise NoSuchSetting(_no_such(name))

    def _load_config(self, cfg: Config, *args: Any, **kwargs: Any) -> None:
        # traitlets would warn with a path and a line of its own, again at each later %config:
        # what it doesn't know stays in the configuration.
        for section in list(cfg):
            if section != "MlxMagics" and close_matches(section, ["MlxMagics"], cutoff=0.8):
                _say(f"there is no {section}; did you mean 'MlxMagics'?")
        ours = cfg.get("MlxMagics", {})
        for name in [name for name in ours if name not in self.class_trait_names(config=True)]:
            del ours[name]
            _say(_no_such(name))
        super()._load_config(cfg, *args, **kwargs)


def configured(shell: Any) -> MlxMagics:
    """The settings, with what the configuration file or the command line says of them."""
    section = shell.config.get("MlxMagics", {})
    for name in MlxMagics.class_trait_names(config=True):
        if name not in section:
            continue
        try:
            MlxMagics(config=Config(MlxMagics={name: section[name]}))
        except TraitError as error:
            # A value that %config has refused stays in the shell's configuration all the same.
            del section[name]
            _say(f"MlxMagics.{name} is left out: {error}")
    return MlxMagics(parent=shell)


def _no_such(name: str) -> str:
    known = MlxMagics.class_trait_names(config=True)
    return f"there is no setting MlxMagics.{name}; {did_you_mean(name, known)}"


def _say(text: str) -> None:
    print(one_line(text), file=sys.stderr)  # noqa: T201 - %config has no better place
