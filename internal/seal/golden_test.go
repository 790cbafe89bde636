package seal_test

// A key that was made for these tests, and what it made.
const (
	goldenText   = "tongbo-key-1:VGM9Gb9T7kqNGiry9RrGFpegEQIJFLaRuOxPBHa0kpwI2MS-hgQSZApYCjB0eXBlLmdvb2dsZWFwaXMuY29tL2dvb2dsZS5jcnlwdG8udGluay5BZXNHY21LZXkSIhogkGuBzvsyGo0gzB_IspsYSwkw4u7s_OqyOKjJwCfqf5wYARABGKnTj6gNIAESZApYCjB0eXBlLmdvb2dsZWFwaXMuY29tL2dvb2dsZS5jcnlwdG8udGluay5BZXNHY21LZXkSIhogHBlhZapEBQvcz_GuXW08Zdx_2F2VDl3CEe0idmE7WacYARABGNjEvoYEIAGNCWyf"
	goldenHash   = "8f957871a24b7ac3b4625cdd7d60ec682b66bcba24a9ed7802d1773c83b9cee5"
	goldenSealed = "\x01@\u03e2X\x1cX\x9e5\xebk\a4\xc7\xfa<\xfa\xd9\xc3\x7f4V\x85\xce\x17\x9c(>(;\xed\u03ed\xeds\xb2\x0e$\u2b0d\xc4"
)
