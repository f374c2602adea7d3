"""`penstock migrate`: old scripts of several styles; those that are input alone run afterwards, of others the rest is told."""

import subprocess
import sys
from pathlib import Path

import pytest

import penstock as ps
from migrate.scripts import MODEL, MODULE, MONITORED, QUEUE_OBJECTS, QUEUES, RECORDS, SLIM
from penstock import tf1
from penstock.cli import main
from penstock.migrate import migrated


def ran(text: str, folder: Path) -> str:
    script = folder / "new.py"
    script.write_text(text)
    run = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.slow
def test_a_script_that_is_input_alone_runs_with_its_import_changed(tmp_path: Path):
    """Nothing else is touched, not even the comment behind the import."""
    data = tmp_path / "data.csv"
    data.write_text("1,2\n3,4\n5,6\n7,8\n")
    source = QUEUES.replace("FILE", str(data))

    made = migrated(source)

    assert (made.whole, made.left) == (True, ())
    assert made.text == source.replace("import tensorflow as tf", "from penstock import tf1 as tf")
    assert ran(made.text, tmp_path) == "[[1.0, 2.0], [3.0, 6.0]] [2, 4]\n[[5.0, 10.0], [7.0, 14.0]] [6, 8]\nend\n"


@pytest.mark.slow
def test_a_monitored_session_and_records_run_too(tmp_path: Path):
    """`import tensorflow.compat.v1 as tf`, and `tf.contrib` in it."""
    data = tmp_path / "data.tfrecord"
    with tf1.python_io.TFRecordWriter(str(data)) as writer:
        for length in (1, 5, 2, 4):
            lists = {
                "tokens": tf1.train.Feature(int64_list=tf1.train.Int64List(range(length))),
                "label": tf1.train.Feature(int64_list=tf1.train.Int64List([length])),
            }
            writer.write(tf1.train.Example(features=tf1.train.Features(feature=lists)).SerializeToString())

    made = migrated(MONITORED.replace("FILE", str(data)))

    assert made.whole
    assert ran(made.text, tmp_path) == "(2, 2)\n(2, 5)\n"


@pytest.mark.slow
def test_queue_objects_run_too(tmp_path: Path):
    """With the runner that fills them."""
    assert ran(migrated(QUEUE_OBJECTS).text, tmp_path) == "[0 1 2] [3 4 5]\n"


@pytest.mark.slow
def test_a_script_in_the_style_of_cifar10_runs_too(tmp_path: Path):
    """A record that is an object with handles in it, flags, `tf.gfile`, scopes, a supervisor, `tf.app.run`."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "batch_1.bin").write_bytes(b"".join(bytes([label, *range(12)]) for label in (3, 1, 2)))

    made = migrated(RECORDS.replace("FOLDER", str(data)))

    assert (made.whole, made.left) == (True, ())
    assert ran(made.text, tmp_path) == "(2, 2, 2, 3) [3, 1]\n"


def test_handles_in_objects_are_followed():
    """Under whatever name the object has there; beside a model, flags and a supervisor stay TensorFlow's, with a word."""
    made = migrated(RECORDS.replace("supervisor = ", "loss = tf.nn.relu(images); supervisor = "))

    for line in (
        "    result.label = tf1.cast(tf1.strided_slice(record, [0], [1]), tf1.int32)",
        "        image = tf1.image.per_image_standardization("
        "tf1.image.random_flip_left_right(tf1.cast(read.image, tf1.float32)))",
        "    return images, tf1.reshape(labels, [FLAGS.batch_size])",
        "FLAGS = tf.app.flags.FLAGS",
        "    loss = tf.nn.relu(images); supervisor = tf.train.Supervisor()",
    ):
        assert line in made.text.splitlines()
    told = {left.what: left.do for left in made.left}
    assert told["`tf.gfile.Exists`"].startswith("`tf1.gfile` is the same")
    assert told["`tf.app.run`"].startswith("`tf1.app` is the same")
    assert "its loop ends with the feed" in told["`tf.train.Supervisor`"]


def test_of_a_module_without_a_session_the_place_is_told_where_the_model_begins():
    """And what a setting is called, though some handle be called so too, is none."""
    made = migrated(MODULE)

    assert "    return tf.constant(args.queue)" in made.text.splitlines()
    assert [(left.line, left.what) for left in made.left] == [
        (2, "`from tensorflow.python.platform import gfile`"),
        (7, "`tf.python.platform.gfile.Glob`"),
        (18, "`lengths` of penstock's: a session runs the model alone"),
        (18, "`tf.summary.histogram` works on `lengths`, of penstock's"),
    ]


def test_beside_a_model_the_input_moves_and_the_rest_is_told():
    """TensorFlow keeps its own names, also those that input uses too; what works on a handle is listed by line."""
    made = migrated(MODEL, "model.py")
    lines = made.text.splitlines()

    assert not made.whole
    for line in (
        "import tensorflow.compat.v1 as tf",
        "from penstock import tf1",
        "    queue = tf1.train.string_input_producer([path])",
        "    key, value = tf1.FixedLengthRecordReader(record_bytes=5).read(queue)",
        "    record = tf1.decode_raw(value, tf1.uint8)",
        "    image = tf1.to_float(tf1.reshape(record[1:], [2, 2])) / 255.0",
        "    label = tf1.cast(record[0], tf1.int32)",
        "    return tf1.train.shuffle_batch([image, label], batch_size, capacity=64, min_after_dequeue=32)",
        "flat = tf1.reshape(images, [16, 4])",
        "w = tf.Variable(tf.zeros([4, 10]))",
        "logits = tf.matmul(flat, w)",
        "    except tf1.errors.OutOfRangeError:",
        "    coord = tf.train.Coordinator()",
    ):
        assert line in lines
    told = [(left.line, left.what) for left in made.left]
    assert told == [
        (19, "`tf.matmul` works on `flat`, of penstock's"),
        (20, "`tf.nn.sparse_softmax_cross_entropy_with_logits` works on `labels`, of penstock's"),
        (23, "the session runs the model alone"),
        (26, "`tf.train.start_queue_runners`"),
    ]
    assert "feed = tf1.feed([flat, labels])" in made.left[2].do


def test_a_session_of_tensorflows_does_not_fetch_handles():
    """What `next(feed)` gives takes its place."""
    source = "import tensorflow as tf\nx = tf.train.batch([1], 2)\ny = tf.Variable(1)\nsess.run([x, y])\n"

    assert [(left.line, left.what) for left in migrated(source).left] == [
        (4, "`sess.run` fetches `[x, y]`, of penstock's")
    ]


def test_parts_of_contrib_move_and_slim_is_told():
    """An import of a function moves by itself."""
    made = migrated(SLIM)

    assert "from penstock.tf1.contrib.training import stratified_sample" in made.text
    assert "[images], labels = stratified_sample([image], label" in made.text
    told = {left.line: left for left in made.left}
    assert told[3].what == "`import tensorflow.contrib.slim as slim`"
    assert "tf1.data_provider(source)" in told[3].do
    assert told[8].what == "`tf.contrib.slim.conv2d` works on `images`, of penstock's"


def test_modules_that_a_script_names_itself_are_followed():
    """`train = tf.train`, also in a function; a call of it is one of TensorFlow's."""
    source = (
        "import tensorflow as tf\ntrain = tf.train\nx = train.batch([1], 2)\ny = tf.Variable(1)\n"
        "def f():\n    c = tf.contrib\n    return c.training.stratified_sample([1], 1, [1.0], 2), train\n"
    )
    made = migrated(source)

    assert "x = tf1.train.batch([1], 2)" in made.text.splitlines()
    assert "    return tf1.contrib.training.stratified_sample([1], 1, [1.0], 2), train" in made.text.splitlines()


def test_what_the_input_side_is_given_moves_with_it():
    """A placeholder that fills a queue, names that are made a tensor first; what the model alone is given stays."""
    source = (
        "import tensorflow as tf\n"
        "place = tf.placeholder(tf.float32, [2])\n"
        "queue = tf.FIFOQueue(10, [tf.float32], shapes=[[2]])\n"
        "fill = queue.enqueue([place])\n"
        "names = tf.convert_to_tensor(['a'], dtype=tf.string)\n"
        "row = tf.train.slice_input_producer([names])\n"
        "other = tf.placeholder(tf.float32, [2])\n"
        "out = tf.nn.relu(other)\n"
    )
    lines = migrated(source).text.splitlines()

    assert "place = tf1.placeholder(tf1.float32, [2])" in lines
    assert "names = tf1.convert_to_tensor(['a'], dtype=tf1.string)" in lines
    assert "other = tf.placeholder(tf.float32, [2])" in lines


@pytest.mark.slow
def test_the_names_of_later_times_run_too(tmp_path: Path):
    """`tf.compat.v1`, `tf.io`, `tf.queue`: of 1.13 on, and of those who had moved to 2 already."""
    source = (
        "import tensorflow as tf\n"
        "tf.compat.v1.disable_eager_execution()\n"
        "x = tf.compat.v1.train.batch([tf.compat.v1.train.range_input_producer(4, 1, False).dequeue()], 2)\n"
        "queue = tf.queue.FIFOQueue(2, [tf.int32])\n"
        "print(tf.io.gfile.exists('none'), tf.io.FixedLenFeature([], tf.int64).shape)\n"
        "with tf.compat.v1.Session() as sess:\n    print(sess.run([x, queue.size()]))\n"
    )
    made = migrated(source)

    assert made.whole
    assert ran(made.text, tmp_path) == "False []\n[array([0, 1], dtype=int32), np.int32(0)]\n"


def test_what_is_not_of_tensorflow_stays():
    """Byte for byte; and a name that only looks like it."""
    source = "import torch as tf\nx = tf.train.batch([1], 2)  # é\n"

    assert migrated(source).text == source
    assert not migrated(source).whole


def test_places_are_found_behind_letters_of_more_than_a_byte():
    """Whether places are counted in letters or in bytes."""
    source = 'import tensorflow as tf\nprint("é", tf.train.batch(["é"], 2), tf.Variable(1))\n'

    assert 'print("é", tf1.train.batch(["é"], 2), tf.Variable(1))' in migrated(source).text


BODY = "x = tf.train.batch([1], 2)\ny = tf.Variable(1)\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "import tensorflow as tf  # the model's\n",
            "import tensorflow as tf  # the model's\nfrom penstock import tf1\n",
        ),
        ("if 1: import tensorflow as tf\n", "if 1: import tensorflow as tf; from penstock import tf1\n"),
        (
            '"""Trains."""\nfrom __future__ import division\nimport os, tensorflow as tf\n',
            '"""Trains."""\nfrom __future__ import division\nimport os, tensorflow as tf\nfrom penstock import tf1\n\n',
        ),
    ],
)
def test_the_new_import_stands_where_python_and_the_reader_expect_it(before: str, after: str):
    """A comment stays with its line, an import in a block there, and nothing comes before `__future__`."""
    assert migrated(before + BODY).text == after + BODY.replace("tf.train", "tf1.train")


def test_layout_stays():
    """Line ends of another system, blanks within a line, brackets, and comments between arguments."""
    source = (
        "import tensorflow as tf\r\n"
        "from tensorflow.contrib.training import (\r\n    bucket,  # by length\r\n)\r\n"
        "x = (tf.train.batch)(  [1],\t2,\r\n    # the last too\r\n    name = 'a' )\r\n"
        "y = tf.Variable( 1 )"
    )
    moved = (
        source.replace("tf\r\n", "tf\r\nfrom penstock import tf1\r\n", 1)
        .replace("tensorflow.contrib", "penstock.tf1.contrib")
        .replace("(tf.train.batch)", "(tf1.train.batch)")
    )

    assert migrated(source).text == moved


def test_a_name_of_the_scripts_own_is_not_tensorflows():
    """A parameter called `tf`, and a keyword or an attribute called like a handle."""
    source = (
        "import tensorflow as tf\nx = tf.train.batch([1], 2)\n"
        "def own(tf):\n    return tf.train.batch([1], 2)\n"
        "y = tf.Variable(own.x, x=1)\n"
    )
    made = migrated(source)

    assert made.text == source.replace("x = tf", "x = tf1").replace("tf\n", "tf\nfrom penstock import tf1\n", 1)
    assert made.left == ()


def test_a_script_of_python_2_is_told():
    """With what converts it."""
    with pytest.raises(ps.SourceError, match=r"got `print \"hello\"` - at line 2 of 'old.py' - .*2to3 -w -n"):
        migrated('x = 1\nprint "hello"\n', "old.py")


def test_the_command_shows_and_writes_only_what_it_is_told_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """A diff and the list; a new file; or the script itself, when that is asked for."""
    script, new = tmp_path / "old.py", tmp_path / "new.py"
    script.write_text(MODEL)

    assert main(["migrate", str(script)]) == 0
    shown = capsys.readouterr().out
    assert "+from penstock import tf1" in shown
    assert f"{script}:19: `tf.matmul` works on `flat`, of penstock's" in shown
    assert script.read_text() == MODEL

    assert main(["migrate", str(script), "--output", str(new)]) == 0
    assert new.read_text() == migrated(MODEL).text
    assert script.read_text() == MODEL
    assert main(["migrate", str(script), "--output", str(new)]) == 2
    assert "expected a new file, got one that exists" in capsys.readouterr().err
    assert main(["migrate", str(script), "--output", str(new), "--in-place"]) == 2

    assert main(["migrate", str(script), "--in-place"]) == 0
    assert script.read_text() == migrated(MODEL).text
    assert main(["migrate", str(tmp_path / "none.py")]) == 2


def test_without_libcst_the_command_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """It is an extra, and nothing else of penstock needs it."""
    for name in [name for name in sys.modules if name.startswith("penstock.migrate")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "libcst", None)

    assert main(["migrate", str(tmp_path / "old.py")]) == 2
    assert "pip install 'penstock[migrate]'" in capsys.readouterr().err
