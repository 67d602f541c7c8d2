"""One page of HTML that shows a dataset: map, series, quality; nothing besides it is needed."""
