// Command gcpstandin stands in for Google Cloud KMS in the end-to-end tests, on loopback
// only. It answers the five calls that signing takes, as Google documents them, for
// the key ring projects/p/locations/l/keyRings/r, behind a proxy that leads every connection to
// it: so that a client needs no other setting than HTTPS_PROXY and the certificate to trust.
// It prints both as JSON, and ends with its standard input.
package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"time"

	"cloud.google.com/go/kms/apiv1/kmspb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

const host = "cloudkms.googleapis.com"

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "gcpstandin:", err)
		os.Exit(1)
	}
}

func serve() error {
	certificate, err := newCertificate()
	if err != nil {
		return err
	}
	service, err := newService()
	if err != nil {
		return err
	}
	api, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	proxy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.Creds(credentials.NewServerTLSFromCert(certificate)))
	kmspb.RegisterKeyManagementServiceServer(server, service)
	failed := make(chan error, 3)
	go func() { failed <- server.Serve(api) }()
	go func() { failed <- serveProxy(proxy, api.Addr().String()) }()
	go func() {
		_, err := io.Copy(io.Discard, os.Stdin)
		failed <- err
	}()
	ready := map[string]string{
		"proxy":       "http://" + proxy.Addr().String(),
		"certificate": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]})),
	}
	if err := json.NewEncoder(os.Stdout).Encode(ready); err != nil {
		return err
	}
	return <-failed
}

func newCertificate() (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{host}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

// serveProxy leads what is asked for the host to target, and nothing else anywhere.
func serveProxy(listener net.Listener, target string) error {
	for {
		client, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer client.Close()
			if err := tunnel(client, target); err != nil {
				fmt.Fprintln(os.Stderr, "gcpstandin: proxy:", err)
			}
		}()
	}
}

func tunnel(client net.Conn, target string) error {
	reader := bufio.NewReader(client)
	request, err := http.ReadRequest(reader)
	if err != nil {
		return err
	}
	if request.Method != http.MethodConnect || request.Host != host+":443" {
		_, err := io.WriteString(client, "HTTP/1.1 403 Forbidden\r\n\r\n")
		return fmt.Errorf("%s %s refused: %w", request.Method, request.Host, err)
	}
	server, err := new(net.Dialer).DialContext(context.Background(), "tcp", target)
	if err != nil {
		return err
	}
	defer server.Close()
	if _, err := io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return err
	}
	done := make(chan struct{}, 2)
	pass := func(to io.Writer, from io.Reader) {
		_, _ = io.Copy(to, from) // either end may hang up
		done <- struct{}{}
	}
	go pass(server, reader)
	go pass(client, server)
	<-done
	return nil
}
