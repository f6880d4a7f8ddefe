// What lies below the fold is made when somebody scrolls near it, in a place that is already as high as it will be.
import './charts.css';

import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

const near = '300px'; // begins before it is seen

export function Lazy({ height, children }: { height: number; children: () => ComponentChildren }) {
  const place = useRef<HTMLDivElement>(null);
  const [close, setClose] = useState(false);
  useEffect(() => {
    const element = place.current;
    if (element === null || close) return;
    const show = (): void => setClose(true);
    addEventListener('beforeprint', show); // paper has no fold
    const observer = new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && show(), { rootMargin: near });
    observer.observe(element);
    return () => {
      removeEventListener('beforeprint', show);
      observer.disconnect();
    };
  }, [close]);
  return (
    <div ref={place} class="lazy" style={{ minHeight: `${height}px` }}>
      {close ? children() : null}
    </div>
  );
}
