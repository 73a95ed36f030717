/* SPDX-License-Identifier: GPL-2.0
 * For a kernel that says when there is room to send, as those from 7.0 on do: goes into virtio_rpmsg_bus.c. */
static __poll_t virtio_rpmsg_poll(struct rpmsg_endpoint *ept, struct file *file, poll_table *table)
{
	struct virtproc_info *vrp = to_virtio_rpmsg_channel(ept->rpdev)->vrp;
	__poll_t events = 0;

	poll_wait(file, &vrp->sendq, table);
	mutex_lock(&vrp->tx_lock);
	/* A buffer that was never used, or one that came back: else the doorbell for the next one is wanted. */
	if (vrp->last_sbuf < vrp->num_bufs / 2 || !virtqueue_enable_cb(vrp->svq))
		events = EPOLLOUT | EPOLLWRNORM;
	mutex_unlock(&vrp->tx_lock);
	return events;
}
