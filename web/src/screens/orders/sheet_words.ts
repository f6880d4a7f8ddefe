// What a sheet that came back would do, in one sentence.
import type { SheetPreview } from '../../api/client';
import { counted } from '../../parts/format';

export function sheetWords({ rows, differences, refused }: SheetPreview): string {
  const conflicts = refused.filter((one) => one.conflict !== null).length;
  const others = refused.length - conflicts;
  const parts = [
    differences.length === 0 ? 'nothing would change' : `${counted(differences.length, 'cell')} would be written on ${counted(new Set(differences.map((one) => one.order)).size, 'order')}`,
    conflicts === 0 ? '' : `${conflicts} left because somebody else wrote there`,
    others === 0 ? '' : `${others} refused`,
  ].filter(Boolean);
  return `${counted(rows, 'row')} read: ${parts.join(', ')}.`;
}
