"""One module per room of the business."""
