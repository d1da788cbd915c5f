package route53

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	r53 "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/smithy-go/logging"
)

const (
	// defaultRegion signs for the partition that nearly everybody is in. The
	// service itself has no regions.
	defaultRegion = "us-east-1"
	// requestTime bounds one attempt: the SDK would wait for ever.
	requestTime = time.Minute
	// attempts bounds how often a request is made. Between them lie up to
	// maxBackoff, together about a minute.
	attempts   = 8
	maxBackoff = 20 * time.Second
)

// client returns the SDK's client, made when it is needed first.
func (a *account) client(ctx context.Context) (*r53.Client, error) {
	a.load.Lock()
	defer a.load.Unlock()
	if a.api != nil {
		return a.api, nil
	}
	api, err := a.settings.client(ctx, a.pacer)
	if err != nil {
		return nil, err
	}
	a.api = api
	return api, nil
}

func (s *Settings) client(ctx context.Context, p *pacer) (*r53.Client, error) {
	cfg, err := config.LoadDefaultConfig(ctx, s.loadOptions()...)
	if err != nil {
		return nil, explainConfig(err)
	}
	if cfg.Region == "" {
		cfg.Region = defaultRegion
	}
	if cfg.Credentials != nil {
		cfg.Credentials = credentialsOf{cfg.Credentials}
	}
	return r53.NewFromConfig(cfg, func(o *r53.Options) {
		o.HTTPClient = paced{o.HTTPClient, p}
		o.Retryer = s.retryer(retry.DefaultRetryables, p)
		if s.Endpoint != "" {
			o.BaseEndpoint = &s.Endpoint
		}
	}), nil
}

func (s *Settings) loadOptions() []func(*config.LoadOptions) error {
	opts := []func(*config.LoadOptions) error{
		config.WithAppID("maildns"), // so that CloudTrail tells who it was
		config.WithLogger(logging.Nop{}),
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(requestTime)),
	}
	if s.Profile != "" {
		opts = append(opts, config.WithSharedConfigProfile(s.Profile))
	}
	if s.Region != "" {
		opts = append(opts, config.WithRegion(s.Region))
	}
	if s.AccessKeyID != "" {
		static := credentials.NewStaticCredentialsProvider(s.AccessKeyID, s.SecretKey, s.SessionToken)
		opts = append(opts, config.WithCredentialsProvider(static))
	}
	return append(opts, s.Load...)
}

// refusals are the errors after which nothing was done for certain: only these
// may a change be repeated after.
var refusals = []retry.IsErrorRetryable{retry.NoRetryCanceledError{}, retry.RetryableErrorCode{Codes: retry.DefaultThrottleErrorCodes}}

// retryer repeats a request after the given errors. It is the pacer that waits
// in between, for all requests of the account: what the service can't take from
// one zone it can't take from another.
func (s *Settings) retryer(after []retry.IsErrorRetryable, p *pacer) aws.Retryer {
	jitter := retry.NewExponentialJitterBackoff(maxBackoff)
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.Retryables = after
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, cause error) (time.Duration, error) {
			d, err := jitter.BackoffDelay(attempt, cause)
			if err != nil {
				return 0, err
			}
			if retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(cause) == aws.TrueTernary {
				s.Tell(fmt.Sprintf("Route 53 asks to wait (%s): going on in %s.", code(cause), d.Round(time.Second)))
			}
			p.hold(d)
			return 0, nil
		})
	})
}

// paced lets each attempt wait for its turn.
type paced struct {
	next interface {
		Do(*http.Request) (*http.Response, error)
	}
	pacer *pacer
}

func (c paced) Do(r *http.Request) (*http.Response, error) {
	if err := c.pacer.wait(r.Context()); err != nil {
		return nil, err
	}
	return c.next.Do(r)
}

// credentialsOf marks the errors of credentials, which the SDK mixes with those
// of requests.
type credentialsOf struct{ aws.CredentialsProvider }

func (c credentialsOf) Retrieve(ctx context.Context) (aws.Credentials, error) {
	found, err := c.CredentialsProvider.Retrieve(ctx)
	if err != nil && ctx.Err() == nil {
		err = &credentialsError{err}
	}
	return found, err
}

type credentialsError struct{ cause error }

func (e *credentialsError) Error() string { return "credentials: " + e.cause.Error() }
func (e *credentialsError) Unwrap() error { return e.cause }

// explainConfig says what is wrong with the AWS configuration.
func explainConfig(err error) error {
	var missing config.SharedConfigProfileNotExistError
	if errors.As(err, &missing) {
		return fmt.Errorf("the AWS configuration has no profile %q: correct profile, or add it with aws configure --profile %s: %w", missing.Profile, missing.Profile, err)
	}
	return fmt.Errorf("the AWS configuration can't be read: correct the file or variable that is named here: %w", err)
}
