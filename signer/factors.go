package signer

import (
	_ "embed"
	"math/big"
	"sync"
)

// primesFile is the product of the primes below 2^16, big-endian: to multiply them takes longer than to sign. TestPrimes makes it.
//
//go:embed primes.bin
var primesFile []byte

var smallPrimes = sync.OnceValue(func() *big.Int { return new(big.Int).SetBytes(primesFile) })

// fermatRounds is how many rounds certificate authorities have to do at least.
const fermatRounds = 100

// residues are small numbers whose product fits in a word, each with its squares as bits: what is a square is one modulo each.
var residues = func() (all []residue) {
	for _, m := range []uint64{64, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43} {
		r := residue{modulus: m}
		for x := range m {
			r.squares |= 1 << (x * x % m)
		}
		all = append(all, r)
	}
	return all
}()

type residue struct{ modulus, squares uint64 }

var allResidues = func() *big.Int {
	product := uint64(1)
	for _, r := range residues {
		product *= r.modulus
	}
	return new(big.Int).SetUint64(product)
}()

// closeFactors looks for n = a^2 - b^2 = (a+b)(a-b) with the smallest a (Fermat's method, CVE-2022-26320).
func closeFactors(n *big.Int) bool {
	a := new(big.Int).Sqrt(n)
	square, step := new(big.Int).Mul(a, a), new(big.Int).Lsh(a, 1)
	square.Sub(square, n) // a^2 - n, which is b^2 if it is a square
	step.SetBit(step, 0, 1)
	two, rest := big.NewInt(2), new(big.Int)
	for range fermatRounds {
		square.Add(square, step) // (a+1)^2 = a^2 + 2a+1
		step.Add(step, two)
		if mayBeSquare(rest.Mod(square, allResidues).Uint64()) && isSquare(square) {
			return true
		}
	}
	return false
}

func mayBeSquare(rest uint64) bool {
	for _, r := range residues {
		if r.squares>>(rest%r.modulus)&1 == 0 {
			return false
		}
	}
	return true
}

func isSquare(n *big.Int) bool {
	root := new(big.Int).Sqrt(n)
	return root.Mul(root, root).Cmp(n) == 0
}

// isROCA says whether a modulus is a power of 65537 modulo each prime below 702, as those are that a library of Infineon made for keys
// of 1984 bits and more: Nemec and others, "The Return of Coppersmith's Attack", section 3. That of other primes is so by chance once
// in more than 2^160 times, and is found out after a few divisions.
func isROCA(n *big.Int) bool {
	rest, modulus := new(big.Int), new(big.Int)
	for m := uint64(3); m < 702; m += 2 {
		if modulus.SetUint64(m); !modulus.ProbablyPrime(0) { // exact below 2^64
			continue
		}
		want, power := rest.Mod(n, modulus).Uint64(), uint64(1)
		for power != want {
			if power = power * 65537 % m; power == 1 { // those were all
				return false
			}
		}
	}
	return true
}
