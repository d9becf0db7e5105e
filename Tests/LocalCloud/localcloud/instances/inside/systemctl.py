"""systemctl, inside an instance: hands its command line to process 1."""

import json
import socket
import sys

with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
    connection.connect("/run/localcloud/manager.sock")
    with connection.makefile("rw") as stream:
        stream.write(json.dumps(sys.argv[1:]) + "\n")
        stream.flush()
        code, text = json.loads(stream.readline())
if text:
    print(text, file=sys.stdout if code == 0 else sys.stderr)
sys.exit(code)
