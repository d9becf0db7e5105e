// Reads the certificates and requests that a list names, and prints its complaints by name.
package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"time"
)

type document struct {
	Name   string `json:"name"`
	File   string `json:"file"`
	Domain string `json:"domain"` // empty for a request
	Now    int64  `json:"now"`
}

func main() {
	listing, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	var documents []document
	if err := json.Unmarshal(listing, &documents); err != nil {
		panic(err)
	}
	complaints := map[string]string{}
	for _, one := range documents {
		if err := judge(one); err != nil {
			complaints[one.Name] = err.Error()
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(complaints); err != nil {
		panic(err)
	}
}

func judge(one document) error {
	content, err := os.ReadFile(one.File)
	if err != nil {
		return err
	}
	block, _ := pem.Decode(content)
	if block == nil {
		return fmt.Errorf("no PEM")
	}
	if one.Domain == "" {
		request, err := x509.ParseCertificateRequest(block.Bytes)
		if err != nil {
			return err
		}
		return request.CheckSignature()
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return err
	}
	// Go 1.27 and later refuse these while parsing.
	for _, address := range certificate.IPAddresses {
		if len(address) == 16 && address.To4() != nil {
			return fmt.Errorf("SAN iPAddress contains the IPv4-mapped IPv6 address ::ffff:%s", address)
		}
	}
	if err := certificate.CheckSignature(certificate.SignatureAlgorithm, certificate.RawTBSCertificate, certificate.Signature); err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	_, err = certificate.Verify(x509.VerifyOptions{DNSName: one.Domain, Roots: roots, CurrentTime: time.Unix(one.Now, 0)})
	return err
}
