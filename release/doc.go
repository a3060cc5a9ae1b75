// Command release builds what a release of runattest consists of, and checks it.
//
//	release build --version v0.1.0 --key KEY [--out DIR] [--targets linux/amd64,...]
//	release build --snapshot --key KEY
//	release verify --version v0.1.0 --key PUB DIR
//	release reproduce --version v0.1.0 DIR
//	release push --version v0.1.0 --key PUB DIR REGISTRY/REPOSITORY
//
// # One build
//
// The program is built from its module and not from the checkout: build makes the module zip of the tag
// (golang.org/x/mod/zip), serves it from a folder in the layout of a module proxy, and runs
//
//	go install -trimpath -tags=grpcnotrace -ldflags='-s -w' github.com/runattest/runattest/cmd/runattest@v0.1.0
//
// with an environment of its own (CGO_ENABLED=0, GOFLAGS and the like unset). So the program carries its version and the
// module's h1: sum in its build information, and the same Go gives everyone the same bytes from that line. A release
// stops unless version and sum in each program are those of the zip. The KMS plugins are built in the same way from their own
// module, ../plugins, which has the same version (tag plugins/v0.1.0). That for PKCS #11 loads libraries, which takes cgo: it is
// built for Linux alone, with
//
//	CGO_ENABLED=1 CC='zig cc -target x86_64-linux-gnu.2.17' CGO_CFLAGS='-O2 -g0 -DZIG=0.17.1'
//	go install -trimpath -tags=grpcnotrace -ldflags='-s -w -extldflags=-Wl,--strip-all' ...
//
// by the zig that compiler.txt names, and a release stops unless glibc 2.17 is enough for it.
//
// # The folder
//
// For version v0.1.0, DIR holds
//
//	runattest_0.1.0_linux_amd64.tar.gz          one for each target; a zip for windows: program, licences, SBOM, manual, completions
//	runattest-0.1.0-py3-none-PLATFORM.whl       one for each target: python/ of the module, with the program as a script
//	runattest-SYSTEM-0.1.0.tgz                  one for each target: the npm package of the program
//	runattest-0.1.0.tgz                         the npm package that users install: npm/ of the module
//	runattest_0.1.0-1_amd64.deb                 one for each target of Linux: what the archive has, where Debian's systems look
//	runattest-0.1.0-1.x86_64.rpm                one for each target of Linux: the same for Fedora's and SUSE's
//	runattest_0.1.0_image.tar                   OCI layout of the image for the targets of Linux: program and certificate authorities
//	runattest-kms_0.1.0_linux_amd64.tar.gz      one for each target: the KMS plugins, licences, SBOMs
//	runattest-kms_0.1.0-1_amd64.deb, .rpm       as those of the program
//	runattest-kms_0.1.0_image.tar               the image with the plugins besides
//	runattest-pkcs11_0.1.0_linux_amd64.tar.gz   one for each target of Linux: the PKCS #11 plugin, licences, SBOM
//	runattest-pkcs11_0.1.0-1_amd64.deb, .rpm    the same; they need the system's glibc, 2.17 or later
//	runattest_0.1.0.provenance.sigstore.json    in-toto Statement, SLSA provenance v1: every file above is a subject, and the index of each image
//	checksums.txt                               SHA-256 of all of these, as sha256sum writes it
//	checksums.txt.sig                           the key's signature of checksums.txt, base64: openssl checks it
//
// Each name carries the version, so that an older release cannot be passed off as a newer one. verify refuses a folder in which
// a file is missing, added, renamed or changed, a signature by another key, a program whose version or sum is not the
// release's, or needs a library that not every system has, an archive with other files than it should have, or with bytes
// besides them, a wheel or npm package whose program is not the archive's or that needs packages of others, a wheel whose
// RECORD disagrees, a deb or rpm that installs anything but the archive's files or needs a package besides glibc for the PKCS
// #11 plugin, an image that is not made of the archives, has a blob under a digest that is not the blob's, or has a blob too
// many, and a snapshot where a release is wanted. It does not need the release's commit, and so does not hold the files of
// Python and JavaScript, the manual, licences and SBOMs against the source.
//
// reproduce builds the programs from empty caches and compares them with those in every package, byte for byte. It neither
// checks signatures nor looks at other files: verify does.
//
// # Images in a registry
//
// push verifies the folder, and looks up the tags (0.1.0 and 0.1.0-kms) before it writes anything: if one names another image,
// nothing is pushed. Then it writes each image by its digest, attaches the provenance, and sets the tag last, so that a push
// that fails leaves no tag without provenance. The same push again completes it.
//
// # Tools
//
// Besides Go and git, build needs Python 3.11 or later with pip. It installs what writes SBOMs and wheels and what compiles C
// itself, at fixed versions with known sums, and no package has anything that runs at its installation. reproduce needs the
// same for what compiles C. verify and push need none of it.
package main
