# The three questions of the HTTP read bar in our addresses; to be sourced before its reads.py.
export PATH_LIST='/api/v1/orders/window?status={status}&customer={customer}&sort=due&limit=50&page={page}&fields=order,customer_reference,customer,customer_name,status,order_date,due,total,open_amount'
export PATH_ORDER='/api/v1/orders/{id}'
export PATH_PENDING='/api/v1/totals?group=customer&status=open&due=lte.{due_to}&sort=-open_amount&limit=50'
