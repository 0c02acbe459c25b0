"""LDtk projects (`.ldtk`), JSON version 1.5.3: one level with one IntGrid layer, a value for each tile.

An IntGrid holds 0 where nothing is, so a cell is its tile's number plus one. What the level says of itself is
a field of the level, of type text.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from plaudit.domains.level.files.about import KEY, LIMITS, as_level, heard, told
from plaudit.domains.level.files.atlas import draw_atlas
from plaudit.domains.level.game import Game, Maps
from plaudit.domains.level.things import SIDE
from plaudit.errors import InputError
from plaudit.media.limits import read_json
from plaudit.task import Item

VERSION = "1.5.3"
_LAYER, _FIELD, _LEVEL = 1, 2, 3
"""Numbers that LDtk knows things by."""
_LAYER_DEFINITION: dict[str, Any] = {
    "__type": "IntGrid",
    "identifier": "Tiles",
    "type": "IntGrid",
    "uid": _LAYER,
    "doc": None,
    "uiColor": None,
    "gridSize": SIDE,
    "guideGridWid": 0,
    "guideGridHei": 0,
    "displayOpacity": 1,
    "inactiveOpacity": 0.6,
    "hideInList": False,
    "hideFieldsWhenInactive": True,
    "canSelectWhenInactive": True,
    "renderInWorldView": True,
    "pxOffsetX": 0,
    "pxOffsetY": 0,
    "parallaxFactorX": 0,
    "parallaxFactorY": 0,
    "parallaxScaling": True,
    "requiredTags": [],
    "excludedTags": [],
    "autoTilesKilledByOtherLayerUid": None,
    "uiFilterTags": [],
    "useAsyncRender": False,
    "intGridValues": [],
    "intGridValuesGroups": [],
    "autoRuleGroups": [],
    "autoSourceLayerDefUid": None,
    "tilesetDefUid": None,
    "tilePivotX": 0,
    "tilePivotY": 0,
    "biomeFieldUid": None,
}
"""An IntGrid layer as the editor writes it; the kinds of tiles are its values."""
_FIELD_DEFINITION: dict[str, Any] = {
    "identifier": KEY,
    "__type": "String",
    "uid": _FIELD,
    "type": "F_Text",
    "doc": None,
    "isArray": False,
    "canBeNull": True,
    "arrayMinLength": None,
    "arrayMaxLength": None,
    "editorDisplayMode": "Hidden",
    "editorDisplayScale": 1,
    "editorDisplayPos": "Above",
    "editorLinkStyle": "StraightArrow",
    "editorDisplayColor": None,
    "editorAlwaysShow": False,
    "editorShowInWorld": False,
    "editorCutLongValues": True,
    "editorTextSuffix": None,
    "editorTextPrefix": None,
    "useForSmartColor": False,
    "exportToToc": False,
    "searchable": False,
    "min": None,
    "max": None,
    "regex": None,
    "acceptFileTypes": None,
    "defaultOverride": None,
    "textLanguageMode": None,
    "symmetricalRef": False,
    "autoChainRef": True,
    "allowOutOfLevelRef": True,
    "allowedRefs": "OnlySame",
    "allowedRefsEntityUid": None,
    "allowedRefTags": [],
    "tilesetUid": None,
}
"""The hidden text field that holds what a level says of itself."""
_LAYER_INSTANCE: dict[str, Any] = {
    "__identifier": "Tiles",
    "__type": "IntGrid",
    "__cWid": 0,
    "__cHei": 0,
    "__gridSize": SIDE,
    "__opacity": 1,
    "__pxTotalOffsetX": 0,
    "__pxTotalOffsetY": 0,
    "__tilesetDefUid": None,
    "__tilesetRelPath": None,
    "iid": "",
    "levelId": _LEVEL,
    "layerDefUid": _LAYER,
    "pxOffsetX": 0,
    "pxOffsetY": 0,
    "visible": True,
    "optionalRules": [],
    "intGridCsv": [],
    "autoLayerTiles": [],
    "seed": 1,
    "overrideTilesetUid": None,
    "gridTiles": [],
    "entityInstances": [],
}
"""The layer of one level, before its cells are in it."""
_LEVEL_INSTANCE: dict[str, Any] = {
    "identifier": "Level_0",
    "iid": "",
    "uid": _LEVEL,
    "worldX": 0,
    "worldY": 0,
    "worldDepth": 0,
    "pxWid": 0,
    "pxHei": 0,
    "__bgColor": "#696A79",
    "bgColor": None,
    "useAutoIdentifier": True,
    "bgRelPath": None,
    "bgPos": None,
    "bgPivotX": 0.5,
    "bgPivotY": 0.5,
    "__smartColor": "#ADADB5",
    "__bgPos": None,
    "externalRelPath": None,
    "fieldInstances": [],
    "layerInstances": [],
    "__neighbours": [],
}
"""One level, before its layer and its field are in it."""


def write_ldtk(game: Game, item: Item, folder: Path) -> str:
    """The project as JSON; the colour of a value is that of the middle of its tile."""
    del folder  # IntGrid values are colours: no picture is needed
    whole = {
        "__header__": {"fileType": "LDtk Project JSON", "app": "LDtk", "appVersion": VERSION},
        "iid": _iid(0),
        "jsonVersion": VERSION,
        "nextUid": 4,
        "identifierStyle": "Free",
        "toc": [],
        "worldLayout": "Free",
        "worldGridWidth": SIDE,
        "worldGridHeight": SIDE,
        "defaultLevelWidth": item.content.shape[1] * SIDE,
        "defaultLevelHeight": item.content.shape[0] * SIDE,
        "defaultPivotX": 0,
        "defaultPivotY": 0,
        "defaultGridSize": SIDE,
        "defaultEntityWidth": SIDE,
        "defaultEntityHeight": SIDE,
        "bgColor": "#40465B",
        "defaultLevelBgColor": "#696A79",
        "minifyJson": False,
        "externalLevels": False,
        "exportTiled": False,
        "simplifiedExport": False,
        "imageExportMode": "None",
        "exportLevelBg": True,
        "pngFilePattern": None,
        "backupOnSave": False,
        "backupLimit": 10,
        "backupRelPath": None,
        "levelNamePattern": "Level_%idx",
        "tutorialDesc": None,
        "customCommands": [],
        "flags": [],
        "dummyWorldIid": _iid(9),
        "defs": _definitions(game),
        "levels": [_level(game, item)],
        "worlds": [],
    }
    return json.dumps(whole, indent=1) + "\n"


def _iid(number: int) -> str:
    """A fixed identifier in the form that LDtk uses."""
    return f"00000000-0000-0000-0000-{number:012d}"


def _definitions(game: Game) -> dict[str, Any]:
    """The layer with its values, and the field that holds what a level says of itself."""
    picture = draw_atlas(game)
    middles = [picture.getpixel((SIDE * i + SIDE // 2, SIDE // 2)) for i in range(len(game.tiles))]
    values = [
        {
            "value": number + 1,
            "identifier": tile.name,
            "color": "#{:02X}{:02X}{:02X}".format(*middles[number]),
            "tile": None,
            "groupUid": 0,
        }
        for number, tile in enumerate(game.tiles)
    ]
    layer = {**_LAYER_DEFINITION, "intGridValues": values}
    empty: dict[str, Any] = {"entities": [], "tilesets": [], "enums": [], "externalEnums": []}
    return {"layers": [layer], **empty, "levelFields": [_FIELD_DEFINITION]}


def _level(game: Game, item: Item) -> dict[str, Any]:
    height, width = item.content.shape
    text = told(game, item)
    field = {
        "__identifier": KEY,
        "__type": "String",
        "__value": text,
        "__tile": None,
        "defUid": _FIELD,
        "realEditorValues": [{"id": "V_String", "params": [text]}],
    }
    cells = (item.content.astype(int) + 1).ravel().tolist()
    layer = {**_LAYER_INSTANCE, "__cWid": width, "__cHei": height, "iid": _iid(2), "intGridCsv": cells}
    return {
        **_LEVEL_INSTANCE,
        "iid": _iid(1),
        "pxWid": width * SIDE,
        "pxHei": height * SIDE,
        "fieldInstances": [field],
        "layerInstances": [layer],
    }


def read_ldtk(game: Game, path: Path) -> tuple[Maps, dict[str, Any]]:
    """The level and what it says of itself; raises only `InputError`."""
    whole, place = read_json(path, LIMITS), str(path)
    levels = whole.get("levels") if isinstance(whole, dict) else None
    level = levels[0] if isinstance(levels, list) and len(levels) == 1 else None
    if not isinstance(level, dict):
        raise InputError("is no LDtk project with one level.", place=place)
    layers = [
        layer
        for layer in level.get("layerInstances") or []
        if isinstance(layer, dict) and layer.get("__type") == "IntGrid"
    ]
    if len(layers) != 1:
        raise InputError(f"has {len(layers)} IntGrid layers, a level has one.", place=place)
    cells = layers[0].get("intGridCsv")
    if isinstance(cells, list):
        cells = [cell - 1 if type(cell) is int else cell for cell in cells]
    fields = [each for each in level.get("fieldInstances") or [] if isinstance(each, dict)]
    about = next((each.get("__value") for each in fields if each.get("__identifier") == KEY), None)
    size = layers[0].get("__cWid"), layers[0].get("__cHei")
    return as_level(game, cells, size, place), heard(about, place)
