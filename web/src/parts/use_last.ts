// The last good answer while another question is on its way: what one reads does not vanish because a switch was moved.
import { useRef } from 'preact/hooks';

export function useLast<T>(data: T | null): T | null {
  const last = useRef<T | null>(data);
  if (data !== null) last.current = data;
  return data ?? last.current;
}
