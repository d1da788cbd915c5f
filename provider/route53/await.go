package route53

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	r53 "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/attunelogic/maildns/records"
)

const (
	// patience is how long a change is waited for. It generally takes up to a
	// minute (ChangeResourceRecordSets in the API Reference).
	patience = 2 * time.Minute
	// The pauses between two questions grow from the first to the second.
	shortPause = 5 * time.Second
	longPause  = 20 * time.Second
)

// await returns when all servers of Route 53 answer with a change, or when it
// can't be waited for any longer. The change is made in any case, so there is
// no error, only something to tell.
func (a *account) await(ctx context.Context, zone records.Name, made *types.ChangeInfo) {
	if made == nil || made.Status == types.ChangeStatusInsync {
		return
	}
	a.settings.Tell(fmt.Sprintf("%s is written; waiting until all name servers of Route 53 have it.", zone))
	if err := a.insync(ctx, made.Id); err != nil {
		a.settings.Tell(fmt.Sprintf("%s is written, but whether all name servers have it yet is not known: %v", zone, err))
	}
}

func (a *account) insync(ctx context.Context, id *string) error {
	api, err := a.client(ctx)
	if err != nil {
		return err
	}
	waited := time.Duration(0)
	for pause := shortPause; waited < patience; pause = min(pause*3/2, longPause) {
		if err := a.settings.Sleep(ctx, pause); err != nil {
			return err
		}
		waited += pause
		out, err := api.GetChange(ctx, &r53.GetChangeInput{Id: id})
		if err != nil {
			return explain("GetChange", err)
		}
		if out.ChangeInfo != nil && out.ChangeInfo.Status == types.ChangeStatusInsync {
			return nil
		}
	}
	return fmt.Errorf("the change %s is still PENDING after %s", aws.ToString(id), waited)
}
