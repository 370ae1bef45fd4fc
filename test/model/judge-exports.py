"""Judges exported policies with the packages of their formats: python judge-exports.py FOLDER

FOLDER holds a folder for each network, with policy.onnx, policy.safetensors, and expected.json, which has some
observations and what the network makes of them. Writes python.safetensors beside them, for us to read.
"""

import json
import pathlib
import sys

import numpy
import onnx
import onnxruntime
import safetensors.numpy

for folder in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    expected = json.loads((folder / "expected.json").read_text())
    named = {name: numpy.array(value, dtype=numpy.float32) for name, value in expected["named"].items()}

    tensors = safetensors.numpy.load_file(folder / "policy.safetensors")
    assert tensors.keys() == named.keys(), (tensors.keys(), named.keys())
    for name, tensor in tensors.items():
        numpy.testing.assert_array_equal(tensor, named[name])
    safetensors.numpy.save_file(named, folder / "python.safetensors")

    onnx.checker.check_model(onnx.load(folder / "policy.onnx"), full_check=True)
    session = onnxruntime.InferenceSession(folder / "policy.onnx", providers=["CPUExecutionProvider"])
    values = numpy.array(expected["values"])
    observations = numpy.array(expected["observations"], dtype=numpy.float32).reshape(len(values), -1)
    logits, value = session.run(["logits", "value"], {"observation": observations})
    numpy.testing.assert_allclose(logits.ravel(), expected["logits"], rtol=1e-5, atol=1e-6)
    numpy.testing.assert_allclose(value.ravel(), values, rtol=1e-5, atol=1e-6)
    assert session.get_modelmeta().custom_metadata_map == {"env_id": "Test-v0"}
    print(folder.name, "is right")
