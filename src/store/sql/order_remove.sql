DELETE FROM sales_order WHERE number = ?1
