import shlex

from cli.curl import curl


def test_a_body_with_quotes_survives_the_shell() -> None:
    line = curl("http://h/classify", body={"input": 'it\'s "é" $HOME'})
    assert shlex.split(line)[-1] == '{"input": "it\'s \\"é\\" $HOME"}'


def test_a_file_is_sent_as_a_form() -> None:
    line = curl("http://h/datasets", form={"file": "@a b.csv", "name": "x"})
    assert line == "curl -s http://h/datasets -F 'file=@a b.csv' -F name=x"


def test_a_query_is_quoted() -> None:
    assert curl("http://h/metrics?a=1&b=2") == "curl -s 'http://h/metrics?a=1&b=2'"
    assert curl("http://h/x", method="DELETE") == "curl -s -X DELETE http://h/x"
