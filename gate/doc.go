// Package gate admits runs: it says whether a run may be started on this machine now, and starts it.
//
// # Admitting
//
// Admit asks three questions about a bundle, in this order, and stops at the first no:
//
//  1. Is it verified, and does the policy allow the run? (policy.Policy.Verify, with the approvals and the lineage that the
//     request's sources give, at the time of its clock once all of that is read and verified)
//  2. Are the files and folders that the declaration names on this machine those that it names? (CheckFiles)
//  3. If these took longer than a second, or the clock was set back: does the policy still allow it? The sources are read
//     again, so that a rejection that has arrived meanwhile is seen.
//
// The answer is an Admission, which only Admit makes and nothing changes. If anything could not be read, the run is not allowed,
// because a rejection might be missing: approvals in a registry that cannot be reached, a source that fails halfway, an ancestor without a bundle, a
// context that has ended. Only a Request that is none is an error of Admit itself.
//
//	p, err := policy.Load("policy.yaml", policy.Options{TrustedRoots: sigstore.Authorities})
//	ref, err := registry.ParseReference("oci://registry.acme.example/runs")
//	target, err := registry.Open(ref, registry.Options{})
//	runs := gate.NewRepository(target)
//	admission, err := gate.Admit(ctx, gate.Request{
//		Bundle: bundle, Policy: p, Approvals: runs, Lineage: runs, Clock: time.Now,
//		Log: gate.LogFile("/var/log/airun.jsonl"),
//	})
//	if err == nil {
//		err = admission.Exec(ctx, gate.Start{
//			Program: "/usr/bin/python3", Args: []string{"python3", "train.py"}, Environ: os.Environ(),
//		})
//	}
//	// Exec returns only if nothing was started: err says why.
//
// # Sources
//
// An ApprovalSource and a LineageSource are sequences that can be read again: an ApprovalList and a LineageList in memory, a
// Repository in a registry or an OCI layout, several of them joined (JoinApprovals, JoinLineage), or what the caller writes. They
// are not trusted: all that they give is verified with the policy's trust. What is trusted is that they give all that there is: a
// source that holds a rejection back without an error allows what the rejection would refuse.
//
// # Starting
//
// (*Admission).Exec refuses what was not allowed, and everything in a program that a dynamic loader has started or that holds C
// code (ErrLoader). It writes the declaration and the bundle into a private folder, appends a Record to the log and has it on the disk, and replaces
// the process with the program, which finds AIRUN_IDENTITY, AIRUN_DECLARATION and AIRUN_BUNDLE in its environment. An admission that
// is older than a second is decided again first. A start that cannot be recorded is refused.
//
// # What is not guaranteed
//
// A file can change after it has been hashed and before the process reads it: a user may write to it or to
// a folder above it, and a symbolic link at the path may come to lead elsewhere. Let the process read what no
// other user may write: a read-only mount, a snapshot, an image by digest. The descriptors that were hashed are
// not handed on: they would keep another file from taking the name, but not prevent writing into the file.
package gate
