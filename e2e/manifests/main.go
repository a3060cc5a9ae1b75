// Command manifests reads Kubernetes manifests as strictly as the API server does on request (no unknown member,
// no member twice), and asks Kubernetes' own admission plugin for ValidatingAdmissionPolicy about the pods in them.
//
//	manifests admission.yaml job.yaml...
//
// Policies and bindings of the first file apply in every namespace that is labelled airun=required; a pod is taken from
// a Job as the Job controller would make it. Each answer is one line: FILE: KIND/NAME: allowed, or denied and why.
// What is not here of an API server: the validation of pods, RBAC, and the other admission plugins.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	admissionregistration "k8s.io/api/admissionregistration/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/initializer"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/util/compatibility"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/component-base/featuregate"
)

const startup = 30 * time.Second

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: manifests ADMISSION FILE...")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "manifests:", err)
		os.Exit(1)
	}
}

func run(admissionFile string, files []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startup)
	defer cancel()
	rules, err := read(admissionFile)
	if err != nil {
		return err
	}
	plugin, err := start(ctx, rules)
	if err != nil {
		return err
	}
	for _, file := range files {
		objects, err := read(file)
		if err != nil {
			return err
		}
		for _, o := range objects {
			kind := o.GetObjectKind().GroupVersionKind().Kind
			pod, err := podOf(o)
			if err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			answer := "allowed"
			if err := ask(ctx, plugin, pod); err != nil {
				answer = "denied: " + strings.Join(strings.Fields(err.Error()), " ")
			}
			fmt.Printf("%s: %s/%s: %s\n", file, kind, pod.Name, answer)
		}
	}
	return nil
}

// read decodes every document of a file into the types of the Kubernetes API.
func read(file string) ([]runtime.Object, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	strict := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme.Scheme, scheme.Scheme, json.SerializerOptions{Yaml: true, Strict: true})
	var all []runtime.Object
	for i, document := range strings.Split("\n"+string(data), "\n---\n") {
		o, _, err := strict.Decode([]byte(document), nil, nil)
		if err != nil {
			return nil, fmt.Errorf("%s: document %d: %w", file, i, err)
		}
		all = append(all, o)
	}
	return all, nil
}

func podOf(o runtime.Object) (*core.Pod, error) {
	switch o := o.(type) {
	case *core.Pod:
		return o, nil
	case *batch.Job:
		return &core.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: o.Name, Namespace: o.Namespace, Labels: o.Spec.Template.Labels},
			Spec:       o.Spec.Template.Spec,
		}, nil
	}
	return nil, fmt.Errorf("a %T: want a Pod or a Job", o)
}

// start runs the plugin on a cluster that has the policies, and two namespaces.
func start(ctx context.Context, rules []runtime.Object) (*validating.Plugin, error) {
	objects := []runtime.Object{
		&core.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "training", Labels: map[string]string{"airun": "required"}}},
		&core.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "elsewhere"}},
	}
	for _, o := range rules {
		objects = append(objects, withDefaults(o))
	}
	client := fake.NewClientset(objects...)
	factory := informers.NewSharedInformerFactory(client, 0)
	plugin := validating.NewPlugin(nil)
	initializer.New(client, dynamicfake.NewSimpleDynamicClient(scheme.Scheme), factory, authorizer.AuthorizerFunc(denyAll), featuregate.NewFeatureGate(),
		compatibility.DefaultBuildEffectiveVersion(), ctx.Done(), mapper()).Initialize(plugin)
	if err := plugin.ValidateInitialization(); err != nil {
		return nil, err
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	if !plugin.WaitForReady() {
		return nil, fmt.Errorf("the plugin is not ready after %s", startup)
	}
	return plugin, nil
}

// denyAll denies every request, should an expression ask.
func denyAll(context.Context, authorizer.Attributes) (authorizer.Decision, string, error) {
	return authorizer.DecisionDeny, "", nil
}

// withDefaults adds what the API server would.
func withDefaults(o runtime.Object) runtime.Object {
	equivalent := admissionregistration.Equivalent
	var m *admissionregistration.MatchResources
	switch o := o.(type) {
	case *admissionregistration.ValidatingAdmissionPolicy:
		m = o.Spec.MatchConstraints
	case *admissionregistration.ValidatingAdmissionPolicyBinding:
		m = o.Spec.MatchResources
	}
	m.MatchPolicy = &equivalent
	for _, selector := range []**metav1.LabelSelector{&m.NamespaceSelector, &m.ObjectSelector} {
		if *selector == nil {
			*selector = &metav1.LabelSelector{}
		}
	}
	return o
}

func mapper() meta.RESTMapper {
	m := meta.NewDefaultRESTMapper([]schema.GroupVersion{core.SchemeGroupVersion})
	m.Add(core.SchemeGroupVersion.WithKind("Pod"), meta.RESTScopeNamespace)
	return m
}

// ask has the plugin look at a pod that is made, or at ephemeral containers that are put into one.
func ask(ctx context.Context, plugin *validating.Plugin, pod *core.Pod) error {
	kind := core.SchemeGroupVersion.WithKind("Pod")
	pod.GetObjectKind().SetGroupVersionKind(kind)
	var old runtime.Object
	var options runtime.Object = &metav1.CreateOptions{}
	operation, part := admission.Create, ""
	if len(pod.Spec.EphemeralContainers) > 0 {
		before := pod.DeepCopy()
		before.Spec.EphemeralContainers = nil
		old, options, operation, part = before, &metav1.UpdateOptions{}, admission.Update, "ephemeralcontainers"
	}
	attributes := admission.NewAttributesRecord(pod, old, kind, pod.Namespace, pod.Name, core.SchemeGroupVersion.WithResource("pods"), part,
		operation, options, false, &user.DefaultInfo{Name: "author"})
	return plugin.Validate(ctx, attributes, admission.NewObjectInterfacesFromScheme(scheme.Scheme))
}
