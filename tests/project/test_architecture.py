"""Imports go downward, the core knows NumPy alone, and the public names are these."""

import ast
import sys
from pathlib import Path

import pytest

import skrnn

ROOT = Path(skrnn.__file__).parent
LEVELS = [
    {"core.arrays", "core.cached", "core.limits"},
    {"core.parameters", "core.workspace"},
    {
        "core.training.optimizers",
        "core.kernels.numpy.activations",
        "core.kernels.numba.functions",
        "core.kernels.numba.loops",
    },
    {"core.kernels.numba.softmax"},
    {
        "core.data.sequences",
        "core.data.segments",
        "core.cells.cell",
        "core.model.losses.loss",
        "core.model.state",
        "core.kernels.numba.parts",
    },
    {
        "core.data.batch",
        "core.cells.elman",
        "core.cells.gru",
        "core.cells.lstm",
        "core.model.losses.classes",
        "core.model.losses.number_loss",
        "core.model.losses.weighted_sum",
        "core.model.chain",
    },
    {"core.data.dataset", "core.cells", "core.model.losses.numbers"},
    {"core.data.samplers", "core.kernels.kernel", "core.model.losses"},
    {"core.data", "core.kernels.numpy.kernel", "core.model.head"},
    {"core.kernels.numpy.elman", "core.kernels.numpy.gru", "core.kernels.numpy.lstm"},
    {"core.kernels.numpy", "core.kernels.numba.kernel"},
    {"core.kernels.numba.elman", "core.kernels.numba.gru", "core.kernels.numba.lstm"},
    {"core.kernels.numba"},
    {"core.kernels"},
    {"core.model.inputs"},
    {"core.model.layer"},
    {"core.model.stack"},
    {"core.model.readouts"},
    {"core.model.pooling", "core.model.windows"},
    {"core.model.bptt"},
    {"core.model.network"},
    {"core.model.vectors"},
    {"core.model", "core.training.monitor", "core.training.schedules"},
    {"core.training.loop"},
    {"core.training.lbfgs"},
    {"core.training", "core"},
    {"_floating_point", "_kernels", "_version", "_warnings", "_wrapped"},
    {"_validation.values", "_validation.arrays"},
    {"_validation.sequence_column"},
    {
        "_vocabulary",
        "_validation.columns",
        "_validation.features",
        "_validation.labels",
        "_validation.numbers",
        "_validation.weights",
    },
    {
        "_validation.indicators",
        "_validation.single_steps",
        "_validation.step_labels",
        "_validation.tokens",
        "_validation.input_types",
        "_validation.mixed_columns",
        "_validation.steps",
        "_validation",
    },
    {"metrics._reading"},
    {"metrics._scorers", "metrics._spans", "metrics._steps"},
    {"metrics"},
    {
        "sequences._reading",
        "_parallel.blas",
        "_atomic_files",
        "_callbacks",
        "_documentation",
        "_progress",
        "_versions",
        "datasets._japanese_vowels",
        "datasets._names",
        "datasets._stdlib_text",
        "inspection._gradients",
        "inspection._plotting",
    },
    {
        "_parallel.threads",
        "preprocessing._containers",
        "preprocessing._moments",
        "preprocessing._table_output",
        "sequences._channels_first",
        "sequences._column",
        "sequences._concatenated",
        "sequences._forecasting",
        "sequences._padding",
        "sequences._windows",
        "inspection._coloured_text",
        "inspection._network_drawing",
        "inspection._training_curve",
    },
    {
        "preprocessing._sequence_imputer",
        "preprocessing._sequence_scaler",
        "preprocessing._sequence_summarizer",
        "preprocessing._step_transformer",
        "sequences._arrow",
        "sequences._long_dataframe",
        "_fitted",
    },
    {
        "_parallel.sharding",
        "_config",
        "_hold_out",
        "_token_scores",
        "preprocessing",
        "datasets",
        "sequences",
    },
    {"_parallel", "_fitting", "_checkpoints"},
    {"_files", "_decoding.filters", "_learning", "callbacks"},
    {"_base"},
    {"_known_tokens"},
    {"_streams", "_step_probabilities"},
    {"_input_reading"},
    {"_source"},
    {"_sequence_reading"},
    {"_base_sequences"},
    {"_decoding.options"},
    {"_decoding.beams", "_decoding.sampling"},
    {"_decoding.continuations"},
    {"_decoding"},
    {"_labelled_sequences", "_numbered_sequences", "_tagged_sequences", "_token_sequences"},
    {"_early_classifier", "_sequence_classifier", "_sequence_regressor", "_sequence_tagger", "_next_token"},
    {"export._gates", "export._graph"},
    {"export._inputs", "export._predictions", "export._torch"},
    {"export._loops", "export._outputs", "export._readings"},
    {"export._layers"},
    {"export._readouts"},
    {"export._onnx"},
    {"export"},
    {"inspection._baselines", "inspection._targets"},
    {"inspection._explained"},
    {
        "inspection._attributions",
        "inspection._class_probability",
        "inspection._network_display",
        "inspection._states",
        "inspection._token_surprise",
    },
    {"inspection._attribution_display", "inspection._hidden_states_display"},
    {"inspection"},
    {"_step_likelihoods"},
    {"_sequence_anomaly_detector"},
    {""},
]
LEVEL_OF = {module: level for level, modules in enumerate(LEVELS) for module in modules}


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path):
    """Modules that a file imports: absolute names, skrnn's own without the leading ``skrnn.``."""
    package = ["skrnn", *path.relative_to(ROOT).parent.parts]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            if node.module is None:  # from . import x
                yield from (f"{module}.{alias.name}" for alias in node.names)
            else:
                yield module


FILES = sorted(ROOT.rglob("*.py"))


def test_every_module_has_a_level():
    assert {name_of(path) for path in FILES} == set(LEVEL_OF)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_go_downward(path):
    ours = [name.removeprefix("skrnn").lstrip(".") for name in imports_of(path) if name.split(".")[0] == "skrnn"]

    upward = [name for name in ours if LEVEL_OF[name] >= LEVEL_OF[name_of(path)]]

    assert not upward


@pytest.mark.parametrize("path", [p for p in FILES if name_of(p).startswith("core")], ids=name_of)
def test_the_core_knows_numpy_and_the_standard_library_only(path):
    allowed = {"numpy", "skrnn", *sys.stdlib_module_names}
    if name_of(path) == "core.training.lbfgs":
        allowed.add("scipy")
    if name_of(path).startswith("core.kernels.numba."):
        allowed.add("numba")

    assert {name.split(".")[0] for name in imports_of(path)} <= allowed


def test_public_names():
    from skrnn import callbacks, datasets, export, inspection, metrics, preprocessing, sequences

    assert skrnn.__all__ == [
        "END",
        "TRUSTED_TYPES",
        "UNKNOWN",
        "EarlyClassifier",
        "RNNNextTokenModel",
        "RNNSequenceAnomalyDetector",
        "RNNSequenceClassifier",
        "RNNSequenceRegressor",
        "RNNSequenceTagger",
        "show_versions",
    ]
    assert callbacks.__all__ == ["Checkpoint", "load_checkpoint"]
    assert datasets.__all__ == ["load_japanese_vowels", "load_names", "load_stdlib_text"]
    assert export.__all__ == ["params_from_torch", "to_onnx", "to_torch_state_dict"]
    assert inspection.__all__ == [
        "ArrayCheck",
        "AttributionDisplay",
        "ClassProbabilityDisplay",
        "GradientCheck",
        "HiddenStatesDisplay",
        "NetworkDisplay",
        "TokenSurpriseDisplay",
        "TrainingCurveDisplay",
        "attribute",
        "check_gradient",
        "hidden_states",
    ]
    assert metrics.__all__ == [
        "make_step_scorer",
        "sequence_accuracy_score",
        "span_f1_score",
        "step_accuracy_score",
    ]
    assert preprocessing.__all__ == ["SequenceImputer", "SequenceScaler", "SequenceSummarizer", "StepTransformer"]
    assert sequences.__all__ == [
        "from_arrow",
        "from_channels_first",
        "from_concatenated",
        "from_long_dataframe",
        "from_padded",
        "sliding_windows",
        "to_column",
        "to_forecasting",
        "to_padded",
    ]


def test_pickles_record_the_public_place():
    from skrnn import inspection

    assert skrnn.RNNSequenceClassifier.__module__ == "skrnn"
    assert inspection.GradientCheck.__module__ == "skrnn.inspection"
