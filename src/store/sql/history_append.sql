INSERT INTO order_history (number, sequence) VALUES (?1, ?2)
