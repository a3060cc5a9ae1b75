// Package limits holds every cap on size, count and depth in one place, so that
// what a hostile input can cost is read off one page.
package limits

const (
	// Declaration is the size of one declaration in bytes, JSON or YAML. Larger content goes in by digest.
	Declaration = 16 << 20
	// DeclarationDepth is how deep arrays and objects nest in a declaration; the top-level object is depth 1.
	DeclarationDepth = 64
	// DeclarationValues is how many object members and array elements a declaration has in all.
	DeclarationValues = 100_000
	// DeclarationsSize is the size of all declarations that are given together, to be found by their identities.
	DeclarationsSize = 256 << 20
	// CaptureBody is the size of a request that is captured, decoded, CaptureDepth how deep its arrays and objects nest, and
	// CaptureValues how many members and elements it has in all. CaptureReport is the size of the pointers to what happened
	// to them, and CaptureMember that of a named header or query member, all its lines together, in bytes.
	CaptureBody   = 64 << 20
	CaptureDepth  = 256
	CaptureValues = 1_000_000
	CaptureReport = 4 << 20
	CaptureMember = 64 << 10
	// CaptureSearch is how many bytes of a captured request are looked through for secrets, where CaptureCommand is what a byte of
	// a command line counts as.
	CaptureSearch  = 4 << 20
	CaptureCommand = 8
	// CaptureFiles is how many files a model's folder has.
	CaptureFiles = 10_000

	// YAML is the size of a declaration written as YAML that is not JSON, too. A YAML parser holds up to two hundred times its
	// input, so that the cap for the format that people type is lower than that of the one that programs write.
	YAML = 2 << 20

	// Payload is the size of a DSSE payload: a Statement with one declaration, its subjects and annotations.
	Payload = Declaration + 1<<20
	// PayloadDepth leaves room for the Statement around the declaration.
	PayloadDepth = DeclarationDepth + 2
	// PayloadValues leaves room for subjects and annotations.
	PayloadValues = DeclarationValues + 10_000

	// Bundle is the size of one bundle or envelope: a payload in base64 and verification material.
	Bundle = (Payload+2)/3*4 + 1<<20
	// BundleDepth and BundleValues bound everything in a bundle but its payload, which is one string.
	BundleDepth  = 32
	BundleValues = 10_000

	// ProofDepth and ProofValues are what is in a run proof, which has the size of a bundle at most: a Statement, the bundle of
	// a set, and a path. ProofPath is how many hashes the path has.
	ProofDepth  = PayloadDepth + 1
	ProofValues = PayloadValues + BundleValues
	ProofPath   = 32
	// SetRuns is how many runs a run set has. SetHeader is the size of the first line of its file, which has the bundle;
	// every other line is a Statement, of the size of a Payload.
	SetRuns   = 1 << 32
	SetHeader = 4 << 20
	// SetWindow is how many bytes of Statements a verifier of a set holds before it reports on the runs among them.
	SetWindow = 1 << 20
	// SetShare is how many bytes of Statements are worked on at a time.
	SetShare = 64 << 10
	// ProofWindow is for how many runs the proofs are made at a time, where all proofs of a set are made: a power of two.
	ProofWindow = 1 << 10

	// Certificate and Timestamp are sizes in bytes of one certificate and one RFC 3161 response, DER.
	Certificate = 64 << 10
	Timestamp   = 64 << 10
	// TimestampDepth is how deep objects nest in an RFC 3161 response.
	TimestampDepth = 64
	// CertificateName is the length of a subject or an issuer in DER, in bytes.
	CertificateName = 4 << 10
	// IdentityTexts is how many texts an expression for names or issuers is taken apart into, to tell which signers it means.
	IdentityTexts = 64
	// Certificates is how many a bundle or a timestamp carries.
	Certificates = 16
	// Signatures is how many an envelope has: one that verifies has one, and each may be an approver's.
	Signatures = 16
	// SchemeKeys is how many trusted keys are tried with other signature schemes, to explain a no.
	SchemeKeys = 16
	// MistakenKeys is how many of these are tried with other signature schemes over what is signed in place of DSSE's PAE, where a bundle
	// names no key.
	MistakenKeys = 4
	// LogEntryBody is the size of a log entry's body, RSABits that of an RSA key in a timestamp.
	LogEntryBody = 64 << 10
	RSABits      = 8192
	// Checkpoint is the size in bytes of a log's checkpoint, NoteSignatures how many signatures it carries, ProofHashes how many
	// hashes an inclusion proof has: the height of the tallest tree.
	Checkpoint     = 64 << 10
	NoteSignatures = 100
	ProofHashes    = 64
	// Timestamps and LogEntries are how many of each a bundle carries; sigstore-go has the same caps.
	Timestamps = 32
	LogEntries = 32
	// TrustedRoot and SigningConfig are the sizes of such files, TrustedRoots how many lines the first may have.
	TrustedRoots  = 64
	TrustedRoot   = 4 << 20
	SigningConfig = 1 << 20
	// CertificateChain is the size of a PEM file of certificates, and TUFRoot that of a TUF root.json.
	CertificateChain = 1 << 20
	TUFRoot          = 512_000

	// FolderFiles is how many files a folder holds whose digest is checked.
	FolderFiles = 1_000_000
	// LinkedFolders is how many folders are read behind the symbolic links in a folder whose files are looked for.
	LinkedFolders = 10_000
	// ServiceAnswer is the size of what a service answers when a signature is made.
	ServiceAnswer = 4 << 20

	// RegistryContent is the size of one manifest, index or bundle in a registry or an OCI layout.
	RegistryContent = 16 << 20
	// Referrers is how many referrers one artifact has, of whatever type, ReferrerPages in how many pages
	// a registry lists them, and BarrenPages how many with nothing new may follow each other. ListAnswers is how long the
	// pages of one list may take together: so many times what one answer may.
	Referrers     = 50_000
	ReferrerPages = 5_000
	BarrenPages   = 20
	ListAnswers   = 30
	// Tags is how many tags of a repository are gone through, and TagPages in how many pages a registry lists them.
	Tags     = 4_000_000
	TagPages = 50_000
	// PredicateType is the length of a predicate type that a referrer has, ListedText how much of what else it says list
	// shows, and Mirrored how many bundles fetch --air-gap holds, in bytes.
	PredicateType = 2_000
	ListedText    = 1_000
	Mirrored      = 16 << 20
	// Pushed is how many bundles push and attach hold at a time, in bytes. Each bundle counts for PushedEach more.
	Pushed     = 64 << 20
	PushedEach = 8 << 10
	// RegistryAnswer is the size of what a registry says in an error, RegistrySentence how much of it is shown, and
	// RegistryHeader the size of the headers of one answer.
	RegistryAnswer   = 64 << 10
	RegistrySentence = 1_000
	RegistryHeader   = 1 << 20
	// Platforms is of how many manifests that an index names attestations are looked for.
	Platforms = 32
	// AuthFile is the size of a file with credentials for registries. A credential helper has HelperSeconds to answer, with
	// HelperAnswer bytes.
	AuthFile      = 4 << 20
	HelperSeconds = 30
	HelperAnswer  = 64 << 10
	// LayoutDepth is how deep indexes nest in an OCI layout, LayoutManifests how many manifests it holds, and LayoutBroken
	// how many of those that it names are none: each costs reading RegistryContent twice, however small the layout is.
	LayoutDepth     = 8
	LayoutManifests = 100_000
	LayoutBroken    = 1_000

	// JournalSegment is the size in bytes of a journal's segment, and of its declarations, from which the next begins;
	// JournalLine that of one line, which may pass it. JournalChunk is how much of a file is allocated at once, ahead of need.
	JournalSegment = 256 << 20
	JournalLine    = Bundle + 4<<20
	JournalChunk   = 4 << 20
	// JournalGroup is how many bytes of lines and declarations are written at once, unless one entry has more; JournalWaiting
	// how many bytes wait, and JournalHeld how many lines, the newest, are searched for a parent.
	JournalGroup   = 8 << 20
	JournalWaiting = 256 << 20
	JournalHeld    = 1 << 17
	// JournalRoom is how many bytes of lines, and of declarations, are written in memory that is used again.
	JournalRoom = 1 << 20
	// JournalUnsigned is how many closed segments may wait for their signature before the journal says that it is not ready: an
	// hour's, at a segment a minute.
	JournalUnsigned = 60
	// JournalText is the length in bytes of a client's name and of a header's, JournalHeaders how many headers a line names,
	// JournalAttempts and JournalBody the largest attempt and the largest body, in bytes.
	JournalText     = 1_000
	JournalHeaders  = 1_000
	JournalAttempts = 1_000_000
	JournalBody     = 1 << 40

	// CaptureBeside is the size of a body that is hashed while it is read on another processor.
	CaptureBeside = 64 << 10
	// GatewayBody is the size of a request's body as it is sent, unless the configuration names another up to GatewayBodyMost, and
	// GatewayMemory that of all bodies that are held at once; GatewayCodings is how many content codings a body has, and
	// GatewayWindow the memory that decoding zstd may take for its window.
	GatewayBody     = 32 << 20
	GatewayBodyMost = 1 << 30
	GatewayMemory   = 256 << 20
	GatewayCodings  = 4
	GatewayWindow   = 8 << 20
	// GatewayAtOnce is the size of a body that is written to the upstream with its headers, and is held until the call ends.
	GatewayAtOnce = 8 << 10
	// GatewayDrain is how much of a refused body is read and dropped, in GatewayDrainSeconds. Each part of a body arrives in
	// GatewayPauseSeconds, and one that is read before it is forwarded in GatewayBodySeconds. A connection without calls is closed
	// after GatewayIdleSeconds, and calls end in GatewayStopSeconds when the gateway stops. A policy that is read again for
	// GatewayReadSeconds is logged.
	GatewayDrain        = 64 << 20
	GatewayDrainSeconds = 5
	// GatewayDrainUnknown is how much of it is read of a client that is not known, in HTTP/2, in a second.
	GatewayDrainUnknown = 1 << 20
	GatewayBodySeconds  = 300
	GatewayPauseSeconds = 20
	GatewayIdleSeconds  = 60
	GatewayStopSeconds  = 30
	GatewayReadSeconds  = 10
	// GatewayAnswer is how many seconds an upstream has for the headers of its answer, unless the configuration names another
	// number, from GatewayAnswerShortest to GatewayAnswerLongest.
	GatewayAnswer         = 30 * 60
	GatewayAnswerShortest = 1
	GatewayAnswerLongest  = 24 * 60 * 60
	// GatewayHeader is the size of a request's headers, GatewayHeaders how many there are, GatewayBaggage the size of W3C baggage
	// that readers take, and GatewayParents how many parents a call names.
	GatewayHeader  = 256 << 10
	GatewayHeaders = 500
	GatewayBaggage = 8192
	GatewayParents = 1_000
	// GatewayWindowMost is how many calls are signed together, and GatewayWindowShortest and GatewayWindowLongest are how long a
	// window gathers them, in milliseconds.
	GatewayWindowMost     = 100_000
	GatewayWindowShortest = 25
	GatewayWindowLongest  = 60_000
	// GatewayEmbedded is the size of a declaration from which on it is detached.
	GatewayEmbedded = 64 << 10
	// GatewayCache is the size of the Statements whose bundles are kept for equal ones, twice, GatewayCached that of one, and
	// GatewayCacheCount how many there are. GatewayBuffer is the size of a buffer for an answer.
	GatewayCache      = 16 << 20
	GatewayCached     = 1 << 20
	GatewayCacheCount = 10_000
	GatewayBuffer     = 32 << 10
	// GatewayConfig is the size of a configuration, GatewayUpstreams, GatewayClients and GatewayConnections how many there are, the
	// last unless the configuration names another number, and GatewayName the length of a client's name in bytes.
	GatewayConfig      = 1 << 20
	GatewayUpstreams   = 100
	GatewayClients     = 1_000
	GatewayConnections = 16_384
	GatewayName        = 200

	// Shown is how much of what others wrote stands in one error message, in bytes: more than a policy's denial has.
	Shown = 10_000

	// Ahead is how many bytes of input are read ahead of the work on them, SpillMemory how many of what waits stay in memory
	// and do not go to a temporary file.
	Ahead       = 16 << 20
	SpillMemory = 4 << 20

	// JSON is the size of any JSON text that canonicalize takes.
	JSON = 256 << 20

	// Subjects is how many subjects a Statement names, the run included.
	Subjects = 1_000
	// Annotations is how many annotations a predicate carries.
	Annotations = 1_000
	// Lineage is how many bundles one graph verifies, LineageParents how many parents they name in all: with a missing run
	// for each parent that is what a graph holds in memory.
	Lineage        = 1_000_000
	LineageParents = 4_000_000
	// LineageHeavy is the size in bytes from which a graph looks at one bundle at a time.
	LineageHeavy = 1 << 20
	// LineageReason is how much of a failed check's text a graph keeps, in bytes.
	LineageReason = 300
	// Key is the size of a key file.
	Key = 64 << 10
	// ScryptMemory is the memory in bytes that decrypting a key may take (128*N*r), ScryptWork its N*r*p, ScryptBlocks its
	// r*p; PBKDF2Iterations is how many iterations it may take. Each is some seconds. Sigstore's tools write N of at most
	// 131072 with r=8 and p=1, openssl 16384 unless it is told otherwise, and 2048 iterations.
	ScryptMemory     = 256 << 20
	ScryptWork       = 1 << 22
	ScryptBlocks     = 1 << 10
	PBKDF2Iterations = 12_000_000
	// PluginAnswer and PluginMessages are what one call of a KMS plugin may print on standard output and error.
	PluginAnswer   = 1 << 20
	PluginMessages = 64 << 10
	// Password is the length of a key's password in bytes.
	Password = 4 << 10
	// Reread is how many bytes of an invalid text are read again to find what else is wrong with it.
	Reread = 4 * Declaration
	// Problems is how many problems one report lists before it stops.
	Problems = 100
	// ProblemPointers is the length in bytes of their pointers, after which it stops too: each repeats the names above it.
	ProblemPointers = 1 << 20

	// Policy is the size of a policy file, PolicyDepth and PolicyValues what is in it.
	Policy       = 1 << 20
	PolicyDepth  = 32
	PolicyValues = 10_000
	// Rules is how many rules a policy has, Approvers how many people, Signers how many keys and identities in one place.
	Rules     = 1_000
	Approvers = 1_000
	Signers   = 1_000
	// Expression is the length of a rule's expression or message in characters.
	Expression = 16_384
	// RuleCost is what evaluating one rule may cost: one for each value that it looks at, and for four bytes of text.
	// EvaluationCost is the same for all rules of one evaluation. The time is a backstop for slow machines.
	RuleCost          = 4_000_000
	EvaluationCost    = 20_000_000
	EvaluationSeconds = 10
	// Worlds is how many sorts of runs a policy's rules are tried with when it is read, Arranged how many approvers may
	// approve in every order there, and Orders how many orders of more approvers there may be, where many stand for one another.
	// WorldsTogether is how many of them all rules are tried with at once, before each is tried alone.
	Worlds         = 20_000
	WorldsTogether = 1_000
	Arranged       = 6
	Orders         = 2_000
	// Ancestors is how many ancestors of a run rules see.
	Ancestors = 200_000
	// RegexSource is the length of a regular expression in bytes, RegexProgram its compiled size in instructions; RegexWork
	// is instructions times the bytes of the text that it is held against.
	RegexSource  = 4_096
	RegexProgram = 5_000
	RegexWork    = 1 << 28
	// RegexRanges is how many ranges of characters an identity's expression has in all, if it is looked for in any case of letters.
	RegexRanges = 10_000
	// RegexParts is how many steps are taken to tell whether the patterns of a policy match a digest.
	RegexParts = 1 << 22
	// Demands is how many parts of one rule's condition are held against each other, where what it asks of each of some constants is
	// a part each.
	Demands = 1_000
	// RulePairs is how many constants of rules are compared to find two rules that contradict each other, where some do.
	RulePairs = 1 << 22
	// Pieces is into how many parts a rule splits a text.
	Pieces = 100_000
	// Message is the length of a rule's message once it is filled in, in characters.
	Message = 2_000
	// Approvals is how many approvals one evaluation looks at, and into how many referrers of an artifact it looks for them; Reason the length of an approval's reason, and of each
	// of at most Conditions conditions, in bytes.
	Approvals  = 10_000
	Reason     = 4_096
	Conditions = 100
	// SignatureChecks is how many checks of signatures against keys one decision makes in vain, to find out which approvers have
	// signed what it is given: some seconds. signer.Work says what is counted.
	SignatureChecks = 50_000
	// ApprovalsSize is the size of all bundles in one place that may hold approvals, in bytes: they are held at once. In a registry
	// it is that of all manifests and bundles that are fetched to find them.
	ApprovalsSize = 256 << 20
	// Approval is the size of an approval's payload: all that these allow, each character escaped, and what is around it.
	Approval = 6*(1+Conditions)*Reason + 64<<10
)
