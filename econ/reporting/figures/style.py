"""What all figures share: style, palette, a grid of benchmark panels, legends, and byte-identical files."""

from __future__ import annotations

import io
import textwrap
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from econ import benchmarks, paths
from econ.files import write_atomic
from econ.params import about, parse_method
from econ.reporting import show
from econ.reporting.catalogue import FIGURE_FORMATS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STYLE = Path(__file__).with_name("figures.mplstyle")
WIDTH = 6.9  # inches, a two-column text width
CHARACTERS_PER_INCH = 17  # of text as large as a legend's
PAPER = "#767676"  # what the paper reports
FAINT = "#6b6b6b"  # of text: 5.3:1 on white
LEAST_CONTRAST = 3.0  # of what is drawn, to white
VARIANT_MARKERS = ("D", "s", "^", "v", "P", "X", "d", "p", "h", "<", ">")
PALETTE = (
    "#0072B2", "#56B4E9", "#D55E00", "#E69F00", "#009E73", "#CC79A7", "#000000", "#882255", "#999933",
    "#332288", "#AA4499", "#44AA99",
)  # fmt: skip
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
DASHES: tuple[Any, ...] = ("-", (0, (4, 1.5)), (0, (1, 1.2)), (0, (4, 1, 1, 1)))
# No dates or versions in the files: the same tables give the same bytes.
METADATA: dict[str, dict[str, Any]] = {
    "pdf": {"CreationDate": None, "Producer": None, "Creator": None},
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
}


def name_of(benchmark: str) -> str:
    return "All benchmarks" if benchmark == "all" else benchmarks.title(benchmark)


def look(method: str) -> tuple[str, str]:
    """A method's colour and marker, the same in every figure whatever else is run.

    They stand beside its class, else are two by its name. A variant has its method's colour, and a marker by
    its own name. Families share a hue (Okabe and Ito's, and Paul Tol's: for any common colour-vision
    deficiency); their members differ in marker too.
    """
    base, variant = parse_method(method)
    colour, shape = about(base).look or _by_name(base)
    colour = dark_enough(colour)
    if variant is not None:
        shape = VARIANT_MARKERS[zlib.crc32(variant.encode()) % len(VARIANT_MARKERS)]
    return colour, shape


def looks(methods: Sequence[str]) -> dict[str, tuple[str, str]]:
    """The looks of methods that stand in one panel: a variant's marker gives way to one that is taken."""
    found: dict[str, tuple[str, str]] = {}
    for method in methods:
        colour, shape = look(method)
        if parse_method(method)[1] is not None:
            taken = {marker for _, marker in found.values()}
            shape = next((one for one in (shape, *VARIANT_MARKERS) if one not in taken), shape)
        found[method] = colour, shape
    return found


def contrast(colour: str) -> float:
    """Of ``#rrggbb`` to white, by WCAG's relative luminance: 1 to 21."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)


def dark_enough(colour: str) -> str:
    """The colour, or the lightest shade of it that stands out from white."""
    parts = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    for percent in range(100, 0, -1):
        shade = "#" + "".join(f"{part * percent // 100:02X}" for part in parts)
        if contrast(shade) >= LEAST_CONTRAST:
            return shade
    return "#000000"


def numbered(place: int) -> tuple[str, str]:
    """Colour and marker of the first, second, … of things that have no look of their own."""
    return dark_enough(PALETTE[place % len(PALETTE)]), MARKERS[place % len(MARKERS)]


def _by_name(method: str) -> tuple[str, str]:
    number = zlib.crc32(method.encode())
    return PALETTE[number % len(PALETTE)], MARKERS[number // len(PALETTE) % len(MARKERS)]


def markers(n_agents: Iterable[int]) -> dict[int, str]:
    return {n: MARKERS[index % len(MARKERS)] for index, n in enumerate(sorted(n_agents))}


def offsets(count: int, spread: float) -> list[float]:
    """``count`` places side by side, centred on 0, over at most ``spread``."""
    step = spread / max(count, 1)
    return [(index - (count - 1) / 2) * step for index in range(count)]


@contextmanager
def styled() -> Iterator[None]:
    """Matplotlib without a display, in the figures' one style."""
    import matplotlib as mpl

    mpl.use("Agg")
    with mpl.rc_context(fname=str(STYLE)):
        yield


def panels(
    titles: Sequence[str],
    height: float,
    *,
    share_x: bool = True,
    share_y: bool | Literal["row"] = True,
    columns: int = 3,
) -> tuple[Figure, list[Axes]]:
    """A figure with a panel per title, at most ``columns`` beside each other; ``height`` of one in inches."""
    import matplotlib.pyplot as plt

    count = max(len(titles), 1)
    if columns == 3 and count in (4, 7, 8):  # no panel alone in a row
        columns = 2 if count == 4 else 4
    columns = min(count, columns)
    rows = -(-count // columns)
    width = WIDTH if columns > 1 else WIDTH * 0.62
    figure, grid = plt.subplots(
        rows,
        columns,
        figsize=(width, rows * height + 0.55),
        sharex=share_x,
        sharey=share_y,
        squeeze=False,
    )
    axes = list(grid.flat)
    for axis, title in zip(axes, titles, strict=False):
        axis.set_title(title, fontsize=8 if columns <= 4 else 6.5)
        axis.tick_params(axis="x", labelbottom=True)
    for axis in axes[count:]:
        axis.set_axis_off()
    return figure, axes[:count]


def grid(titles: Sequence[str], rows: int, height: float) -> tuple[Figure, list[list[Axes]]]:
    """``rows`` rows of panels under each other, a column per title; a row shares its y axis."""
    import matplotlib.pyplot as plt

    width = WIDTH if len(titles) > 2 else WIDTH * 0.62
    figure, axes = plt.subplots(
        rows, len(titles), figsize=(width, rows * height + 0.75), sharex=True, sharey="row", squeeze=False
    )
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, fontsize=8 if len(titles) <= 4 else 7)
    return figure, [list(row) for row in axes]


def marker(shape: str, colour: str, label: str, linestyle: Any = "none", **style: Any) -> Artist:
    """A legend's entry."""
    from matplotlib.lines import Line2D

    return Line2D([], [], marker=shape, color=colour, label=label, linestyle=linestyle, **style)


def line(colour: str, style: Any, label: str) -> Artist:
    """A legend's entry."""
    from matplotlib.lines import Line2D

    return Line2D([], [], color=colour, linestyle=style, label=label)


def patch(colour: str, label: str, hatch: str | None) -> Artist:
    """A legend's entry, of a bar: hatched or full."""
    from matplotlib.patches import Patch

    face = "white" if hatch else colour
    return Patch(facecolor=face, edgecolor=colour, hatch=hatch, label=label, linewidth=0.5)


def legend(figure: Figure, handles: Sequence[Artist]) -> None:
    """One legend below the panels, outside of them."""
    widest = max(len(str(handle.get_label())) for handle in handles)
    room = int(CHARACTERS_PER_INCH * figure.get_figwidth())
    columns = min(len(handles), 5, max(1, room // (widest + 7)))
    more_rows = -(-len(handles) // columns) - 1
    figure.set_figheight(figure.get_figheight() + 0.15 * more_rows)
    figure.legend(handles=handles, loc="outside lower center", ncols=columns)


def note(figure: Figure, text: str, simulated: bool, recorded: str | None = None) -> None:
    """The line above the panels: how many problems, what the bars are; SIMULATED, RECORDED where so."""
    mark = f"{show.RECORDED}, by {recorded}. " if recorded else ""
    mark = "SIMULATED (no language model). " if simulated else mark
    wrapped = textwrap.fill(mark + text, int(CHARACTERS_PER_INCH * figure.get_figwidth()))
    figure.suptitle(wrapped, fontsize=7, x=0.01, ha="left", color="#B00020" if simulated else "#444444")


def noted(text: str, frame: pd.DataFrame) -> dict[str, Any]:
    """What a chart says above its panels of the rows that it shows, and where these come from."""
    return {
        "note": "; ".join(filter(None, [text, show.not_learned(frame)])),
        "simulated": show.is_simulated(frame),
        "recorded": show.recorded(frame),
    }


def how_many(frame: pd.DataFrame) -> str:
    """How many problems stand behind a point."""
    fewest, most = int(frame["n"].min()), int(frame["n"].max())
    return f"n = {fewest:,} per point" if fewest == most else f"n = {fewest:,} to {most:,} per point"


def save(figure: Figure, name: str, folder: Path = paths.FIGURES) -> None:
    """Write the figure in every format, atomically, and close it."""
    import matplotlib.pyplot as plt

    figure.draw_without_rendering()  # lay out once: it costs more than drawing
    figure.set_layout_engine("none")
    for ending in FIGURE_FORMATS:
        buffer = io.BytesIO()
        figure.savefig(buffer, format=ending, metadata=METADATA[ending])
        write_atomic(folder / f"{name}.{ending}", [buffer.getvalue()])
    plt.close(figure)
