"""The names of the kernels both backends offer (kernels.md)."""

#: The kernels that can be called by name.
KERNELS = (
    "stage2_grid_accumulate",
    "stage2_histogram",
    "stage2_topofit",
    "stage2_topofit_row_invariant",
    "stage2_topofit_coh_row_invariant",
    "stage4_edge_stats",
    "stage7_scla",
    "stage8_edge_noise",
)

#: Those of them that the Python stages call, so that choosing a backend for one acts.
STAGE_KERNELS = (
    "stage2_grid_accumulate",
    "stage2_histogram",
    "stage2_topofit",
    "stage2_topofit_coh_row_invariant",
    "stage4_edge_stats",
    "stage7_scla",
)
