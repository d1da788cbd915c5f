package route53

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	r53 "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/attunelogic/maildns/records"
)

// CheckAccess says what the credentials are good for in these zones. It writes
// nothing. The error joins those of the zones that can't be reached.
func (c *Client) CheckAccess(ctx context.Context, zones []records.Name) (facts []string, err error) {
	c.Expect(len(zones))
	var errs []error
	for _, zone := range zones {
		fact, err := c.checkZone(ctx, zone)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", zone, err))
			continue
		}
		facts = append(facts, fact)
	}
	switch err := c.account.checkGetChange(ctx); {
	case err == nil:
		facts = append(facts, "route53:GetChange is granted: a write can wait until all name servers have it.")
	case code(err) == accessDenied:
		facts = append(facts, "route53:GetChange is not granted: a write can't wait until all name servers have it. Add it to the IAM policy.")
	default:
		errs = append(errs, err)
	}
	if len(zones) > 0 {
		facts = append(facts, "Whether route53:ChangeResourceRecordSets is granted can't be told without writing: see that the IAM policy has it.")
	}
	return facts, errors.Join(errs...)
}

// checkZone finds the zone and reads one set of it.
func (c *Client) checkZone(ctx context.Context, zone records.Name) (fact string, err error) {
	id, err := c.zoneID(ctx, zone)
	if err != nil {
		return "", err
	}
	if err := c.account.list(ctx, id, 1, func(*types.ResourceRecordSet) {}); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s is the hosted zone %s, and can be read.", zone, id), nil
}

// noChange is the id of a change that nobody has made.
const noChange = "C0MAILDNSACCESSCHECK"

// checkGetChange asks for a change that doesn't exist: who may ask is told so,
// others are refused.
func (a *account) checkGetChange(ctx context.Context) error {
	api, err := a.client(ctx)
	if err != nil {
		return err
	}
	_, err = api.GetChange(ctx, &r53.GetChangeInput{Id: aws.String(noChange)})
	if err == nil || errors.As(err, new(*types.NoSuchChange)) {
		return nil
	}
	return explain("GetChange", err)
}
