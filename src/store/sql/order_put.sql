INSERT INTO sales_order (number, sequence, status, customer_code, currency, line_count, total_minor, open_minor, updated_ms)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
ON CONFLICT (number) DO UPDATE SET sequence = excluded.sequence, status = excluded.status,
  customer_code = excluded.customer_code, currency = excluded.currency, line_count = excluded.line_count,
  total_minor = excluded.total_minor, open_minor = excluded.open_minor, updated_ms = excluded.updated_ms
