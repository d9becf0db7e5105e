// LambdaRuntime: serves invocations from Lambda's Runtime API
// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html) and writes the function's log.
//
// Entry point: `RuntimeLoop.run(_:)`, given an `InvocationHandler`.
//
// In reading order:
//   InvocationHandler   what a function is: an invocation's bytes in, a JSON answer out, or an error
//   Invocation          what the Runtime API says about one event, read without trusting it
//   RuntimeLoop         next → handle → answer, until something fatal
//   RuntimeAPI          the four calls, their retry, their fields
//   ErrorReport         an error as Lambda shows it
//   RuntimeError        what ends the loop
//   TraceEnvironment    the X-Ray header, where AWS's libraries look for it
//   JSONLogHandler      one JSON object per line; JSONText and StandardOutput under it
