"""A pipeline of `diffusers` from a folder (or, when asked for, the hub), taken apart under rules.

Weights are read from safetensors alone and no code comes from the folder: a pipeline that is not one of the
kinds below, or that names a component of its own, is refused before it is loaded. "tiny" is a pipeline with
random weights that is made in memory: for trying the machinery, not for pictures.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from plaudit.engine.flow.model import FlowShape
from plaudit.engine.flow.pretrained.clock import Clock
from plaudit.errors import InputError, MissingExtra

TINY = "tiny"
Encoded = dict[str, Tensor]
"""Arguments of the network that stand for prompts, one row each."""


@dataclass
class Parts:
    """What is needed of a pipeline.

    Attributes:
        source: the folder, hub name or "tiny" that it came from.
        pipe: the pipeline itself, frozen.
        network: the denoiser.
        size: `(C, H, W)` of what the denoiser works on: latents, or pixels in [-1, 1].
    """

    source: str
    pipe: Any
    network: nn.Module
    clock: Clock
    size: tuple[int, int, int]

    def __deepcopy__(self, memo: dict[int, Any]) -> Parts:
        """Shared: what is frozen is not copied with the weights that are tuned."""
        return self

    def shape(self, prompts: int) -> FlowShape:
        return FlowShape(self.size, prompts if self.takes_prompts else 0)

    @property
    def takes_prompts(self) -> bool:
        return hasattr(self.pipe, "encode_prompt")

    @property
    def pixels(self) -> tuple[int, int, int]:
        """`(C, H, W)` of the finished pictures."""
        if not hasattr(self.pipe, "vae"):
            return self.size
        scale = 2 ** (len(self.pipe.vae.config.block_out_channels) - 1)
        return (int(self.pipe.vae.config.out_channels), self.size[1] * scale, self.size[2] * scale)

    @torch.no_grad()
    def encode(self, prompts: Sequence[str]) -> Encoded:
        """The prompts `(P, ...)`, with a last row for no prompt."""
        if not self.takes_prompts:
            return {}
        # One by one: what a prompt is encoded as does not depend on its neighbours.
        rows = [self._encoded(prompt) for prompt in (*prompts, "")]
        return {name: torch.cat([row[name] for row in rows]) for name in rows[0]}

    def _encoded(self, prompt: str) -> Encoded:
        device = next(self.network.parameters()).device
        found = self.pipe.encode_prompt(
            prompt=prompt,
            device=device,
            num_images_per_prompt=1,
            do_classifier_free_guidance=False,
            **self._more(),
        )
        names = ("encoder_hidden_states", None, "pooled_projections", None)
        return {
            name: value.detach()
            for name, value in zip(names, found, strict=False)
            if name is not None and value is not None
        }

    def _more(self) -> dict[str, Any]:
        """Stable Diffusion 3 wants its second and third prompt named; None repeats the first."""
        return {"prompt_2": None, "prompt_3": None} if hasattr(self.pipe, "text_encoder_3") else {}

    def decode(self, x: Tensor) -> Tensor:
        """Pictures `(B, C, H, W)` in [-1, 1] of what the denoiser made; differentiable."""
        if not hasattr(self.pipe, "vae"):
            return x
        config = self.pipe.vae.config
        latent = x / config.scaling_factor + (getattr(config, "shift_factor", None) or 0.0)
        made: Tensor = self.pipe.vae.decode(latent).sample
        return made


def open_pipeline(source: str, side: int = 0, download: bool = False, device: str = "cpu") -> Parts:
    """Load a pipeline and freeze it; `side` in latent cells, 0 is the network's own.

    Raises `InputError` for a pipeline of another kind, `MissingExtra` without the library.
    """
    try:
        import diffusers  # noqa: F401
        import peft  # noqa: F401
        import transformers  # noqa: F401
    except ImportError as error:
        raise MissingExtra(
            "pipelines of diffusers need the libraries diffusers, transformers and peft.",
            hint="pip install 'plaudit[diffusers]'",
        ) from error
    pipe = _tiny() if source == TINY else _load(source, download)
    pipe.set_progress_bar_config(disable=True)
    pipe.to(device)
    for part in pipe.components.values():
        if isinstance(part, nn.Module):
            part.eval().requires_grad_(False)
    network = pipe.unet if hasattr(pipe, "unet") else pipe.transformer
    cells = side or _sample_size(network)
    scheduler = pipe.scheduler
    alphas = None if _is_flow(scheduler) else getattr(scheduler, "alphas_cumprod", None)
    if alphas is None and not _is_flow(scheduler):
        raise InputError(f"the scheduler {type(scheduler).__name__} is not known.", place="env.pipeline")
    clock = Clock.of(dict(scheduler.config), alphas)
    return Parts(source, pipe, network, clock, (int(network.config.in_channels), cells, cells))


def _is_flow(scheduler: Any) -> bool:
    return "FlowMatch" in type(scheduler).__name__


def _sample_size(network: nn.Module) -> int:
    size: Any = network.config.sample_size  # type: ignore[union-attr]
    return int(size if isinstance(size, int) else size[0])


KINDS = (
    "DDPMPipeline",
    "DDIMPipeline",
    "StableDiffusionPipeline",
    "StableDiffusion3Pipeline",
)
_LIBRARIES = ("diffusers", "transformers", "stable_diffusion")


def _load(source: str, download: bool) -> Any:
    from diffusers import DiffusionPipeline

    folder = Path(source)
    if folder.is_dir():
        _check_index(folder)
    elif not download:
        raise InputError(
            f'"{source}" is no folder of a pipeline.',
            place="env.pipeline",
            hint='Give a folder by save_pretrained, "tiny", or a name on the hub with env.download = true.',
        )
    try:
        pipe = DiffusionPipeline.from_pretrained(
            source, local_files_only=not download, use_safetensors=True, trust_remote_code=False
        ).to("cpu")
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RuntimeError) as error:
        raise InputError(f"the pipeline cannot be loaded: {error}", place=source) from error
    if type(pipe).__name__ not in KINDS:
        raise InputError(f"is a {type(pipe).__name__}.", place=source, hint=f"Tuned are: {', '.join(KINDS)}.")
    return pipe


def _check_index(folder: Path) -> None:
    """Raise `InputError` unless the folder's index names a known kind and known libraries alone."""
    index = folder / "model_index.json"
    try:
        if index.stat().st_size > 1 << 16:
            raise InputError("is larger than an index is.", place=str(index))
        told = json.loads(index.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise InputError(f"is no index of a pipeline: {error}", place=str(index)) from error
    kind = told.get("_class_name") if isinstance(told, dict) else None
    if kind not in KINDS:
        raise InputError(f"is a {kind}.", place=str(index), hint=f"Tuned are: {', '.join(KINDS)}.")
    for name, value in told.items():
        known = not isinstance(value, list) or value[0] in (None, *_LIBRARIES)
        if not name.startswith("_") and not known:
            raise InputError(
                f'the component "{name}" comes from "{value[0]}", whose code is not run.', place=str(index)
            )


def _tiny() -> Any:
    """Stable Diffusion's parts with a quarter of a million random weights, always the same."""
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        unet = UNet2DConditionModel(
            sample_size=8,
            block_out_channels=(16, 32),
            layers_per_block=1,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            cross_attention_dim=16,
            attention_head_dim=4,
            norm_num_groups=4,
        )
        vae = AutoencoderKL(
            block_out_channels=(8, 16),
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
            latent_channels=4,
            norm_num_groups=4,
        )
        text = CLIPTextModel(
            CLIPTextConfig(
                vocab_size=260,
                hidden_size=16,
                intermediate_size=32,
                num_hidden_layers=1,
                num_attention_heads=2,
                bos_token_id=256,
                eos_token_id=257,
                pad_token_id=257,
            )
        )
    scheduler = DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, steps_offset=1
    )
    return StableDiffusionPipeline(
        vae=vae,
        text_encoder=text,
        tokenizer=_letters(),
        unet=unet,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def _letters() -> Any:
    """A tokenizer of single letters."""
    from transformers import CLIPTokenizer

    letters = [chr(n) for n in range(ord("a"), ord("z") + 1)] + [str(n) for n in range(10)]
    words = [*letters, *(f"{letter}</w>" for letter in letters)]
    vocabulary = {word: at for at, word in enumerate(words)}
    vocabulary |= {"<|startoftext|>": 256, "<|endoftext|>": 257}
    return CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)
