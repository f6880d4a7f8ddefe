SELECT number, sequence FROM order_history
