// Package kms signs with keys that cannot be exported: in a cloud's key management
// service, in Vault, in a hardware module.
//
// A reference NAME://KEY names a key. The package reaches it through the program
// sigstore-kms-NAME on the PATH, which speaks sigstore's KMS plugin protocol; no cloud
// library is linked into the caller. The plugins in this project's folder plugins serve
//
//	awskms://     AWS KMS
//	azurekms://   Azure Key Vault
//	gcpkms://     Google Cloud KMS
//	hashivault:// the transit engine of HashiCorp Vault or OpenBao
//	pkcs11://     hardware modules
//
// and any other program that speaks the protocol serves its own name.
//
// The protocol is one process a call. Its arguments are "v1" and a JSON object (the key,
// the hash, the method: package common of sigstore's cliplugin), standard input is the
// message to sign, standard output one JSON object. Example:
//
//	sigstore-kms-awskms v1 '{"initOptions":{"protocolVersion":"v1","keyResourceID":"/alias/ci",
//	    "hashFunc":5,"rpcOptions":{}},"methodName":"publicKey","publicKey":{...}}'
//	{"publicKey":{"publicKeyPEM":"LS0tLS1CRUdJTi..."}}
//
// A plugin is trusted only to reach the key: its answers are bounded in size and time, its public key must be of an algorithm of package signer, and each
// signature is verified before it is returned.
//
// Load returns a signer, PublicKey the key to verify with. Through the plugin, both may open
// connections. A program that lets its user name any key calls LoadAny and PublicKeyOfAny, which
// take files and environment variables, too.
package kms
