package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/sigstore/sigstore/pkg/signature/kms/cliplugin/common"

	"github.com/runattest/runattest/signer"
)

// localPlugin is a KMS plugin for the scripts: local://FILE is the private key in FILE.
func localPlugin() {
	fmt.Fprintln(os.Stderr, "touch the \x1b[1mtoken")
	var args common.PluginArgs
	answer, err := common.PluginResp{}, json.Unmarshal([]byte(os.Args[2]), &args)
	if err == nil {
		answer, err = answerLocal(&args)
	}
	if err != nil {
		answer.ErrorMessage = err.Error()
	}
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		os.Exit(1)
	}
}

func answerLocal(args *common.PluginArgs) (answer common.PluginResp, err error) {
	data, err := os.ReadFile(args.InitOptions.KeyResourceID)
	if err != nil {
		return answer, err
	}
	key, err := signer.Parse(data, nil)
	if err != nil {
		return answer, err
	}
	switch args.MethodName {
	case common.PublicKeyMethodName:
		answer.PublicKey = &common.PublicKeyResp{}
		answer.PublicKey.PublicKeyPEM, err = key.PublicKey().PEM()
	case common.SignMessageMethodName:
		var message []byte
		if message, err = io.ReadAll(os.Stdin); err != nil {
			return answer, err
		}
		answer.SignMessage = &common.SignMessageResp{}
		answer.SignMessage.Signature, err = key.Sign(context.Background(), message)
	default:
		err = errors.New("no such method")
	}
	return answer, err
}
