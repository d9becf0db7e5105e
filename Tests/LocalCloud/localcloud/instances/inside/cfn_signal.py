"""cfn-signal, inside an instance. Like the real one it signs with the instance's identity, and needs no permission."""

import argparse
import urllib.parse
import urllib.request

parser = argparse.ArgumentParser(prog="cfn-signal")
parser.add_argument("--exit-code", "-e", type=int)
parser.add_argument("--success", "-s", choices=["true", "false"])
parser.add_argument("--stack", required=True)
parser.add_argument("--resource", required=True)
parser.add_argument("--region", required=True)
parser.add_argument("--reason", "-r", default="")
parser.add_argument("--id", "-i", default="")
options = parser.parse_args()
succeeded = options.success == "true" if options.success else (options.exit_code or 0) == 0
query = urllib.parse.urlencode(
    {
        "stack": options.stack,
        "resource": options.resource,
        "status": "SUCCESS" if succeeded else "FAILURE",
        "id": options.id,
    }
)
address = f"http://169.254.169.254/localcloud/signal?{query}"
urllib.request.urlopen(urllib.request.Request(address, method="PUT", data=b""), timeout=10)
