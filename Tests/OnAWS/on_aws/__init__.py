"""Claims about AWS that StackCert relies on, each with the calls that decide it.

`python -m on_aws` asks AWS, `python -m on_aws --local` the local cloud of Tests/LocalCloud.
"""
