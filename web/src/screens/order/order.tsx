// One order as a page of its own. [ and ] walk on in the list it was opened from.
import { useEffect } from 'preact/hooks';

import { orderWindow } from '../../api/client';
import { toast } from '../../parts/app_state';
import { listState, neighbour, readContext } from '../../parts/list_context';
import { navigate, route } from '../../parts/router';
import { OrderView } from './order_view';

export default function OrderScreen({ number }: { number: string }) {
  const context = readContext(route.value.state);
  useEffect(() => {
    document.title = `Order ${number} · Millrace`;
  }, [number]);

  const walk = (step: 1 | -1): (() => void) | null => {
    const index = context === null ? undefined : neighbour(context, step);
    if (context === null || index === undefined) return null;
    return () => {
      orderWindow(context.query, index, 1).then(
        (answer) => {
          const row = answer.data[0];
          if (row === undefined) return toast({ text: 'The list ends here now.' });
          const next = { query: context.query, index, total: answer.total };
          navigate(`/orders/${encodeURIComponent(row.order)}`, { replace: true, state: listState(next) });
        },
        (error: Error) => toast({ text: error.message, tone: 'problem' }),
      );
    };
  };
  const close = (): void => navigate(context === null || context.query === '' ? '/orders' : `/orders?${context.query}`);
  return <OrderView number={number} panel={false} onClose={close} onPrevious={walk(-1)} onNext={walk(1)} />;
}
