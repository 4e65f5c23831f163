package vault

import "github.com/dosevault/dosevault/internal/id"

// SignatureFields reads the fields of a signature, for fuzzing.
func SignatureFields(input, signature string) (out struct {
	Params, Nonce string
	Created       int64
	Machine       id.Grant
	Sig           []byte
}, ok bool) {
	in, ok := parseSignature(input, signature)
	out.Params, out.Nonce, out.Created, out.Machine, out.Sig = in.params, in.nonce, in.created, in.machine, in.sig
	return out, ok
}
