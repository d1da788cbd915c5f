package route53

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/smithy-go"
)

const accessDenied = "AccessDenied"

// code is the service's code of an error, or the error where it has none.
func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return err.Error()
}

// explain says what to do about an error of an action.
func explain(action string, err error) error {
	if cause, ok := errors.AsType[*credentialsError](err); ok {
		return fmt.Errorf("AWS credentials can't be had: set access_key_id and secret_access_key or a profile in the block, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment: %w", cause.cause)
	}
	if refused, ok := errors.AsType[*types.InvalidChangeBatch](err); ok {
		reasons := strings.Join(refused.Messages, "; ")
		if reasons == "" {
			reasons = refused.ErrorMessage()
		}
		return fmt.Errorf("Route 53 refused the changes, all of them: %s: %w", reasons, err) //nolint:staticcheck // a name
	}
	if advice := advice(action, code(err)); advice != "" {
		return fmt.Errorf("%s: %s: %w", action, advice, err)
	}
	return fmt.Errorf("%s: %w", action, err)
}

// advice is what to do about an error code (the common errors of the API
// Reference, and those of the actions).
func advice(action, code string) string {
	switch code {
	case accessDenied, "AccessDeniedException", "NotAuthorizedException":
		return fmt.Sprintf("these credentials lack the permission route53:%s: add it to their IAM policy", action)
	case "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId":
		return "AWS doesn't know this access key: correct access_key_id, or make a new key"
	case "SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature":
		return "the signature is wrong: correct secret_access_key, and see whether this machine's clock is right"
	case "MissingAuthenticationToken", "MissingAuthenticationTokenException":
		return "AWS was asked without credentials: set access_key_id and secret_access_key or a profile"
	case "ExpiredToken", "ExpiredTokenException", "RequestExpired":
		return "the credentials have expired: renew them"
	case "NoSuchHostedZone":
		return "the account has no hosted zone of this id: correct zone_id, or use the credentials of the account that has it"
	case "Throttling", "ThrottlingException":
		return "the account makes too many requests, and went on doing so: lower rate_share, or try again later"
	case "PriorRequestNotComplete":
		return "another change of this zone is still being made: try again later"
	}
	return ""
}
