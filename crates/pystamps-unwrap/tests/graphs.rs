//! General networks and meshes against grids, and what they refuse.

#![expect(clippy::cast_possible_truncation, reason = "small meshes")]
#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use pystamps_unwrap::{
    ArcCost, FlowNetwork, GridProblem, PlanarMesh, UnwrapError, Workspace, solve_grid, solve_mesh,
    solve_network, verify_grid, verify_mesh, verify_network,
};

mod random;
use random::{Random, random_problem};

/// Cells and the outside of a grid of pixels as faces, and where the arcs of the grid are among the
/// edges: (down, right).
fn grid_mesh(rows: usize, columns: usize) -> (PlanarMesh, Vec<usize>, Vec<usize>) {
    let pixel = |row: usize, column: usize| (row * columns + column) as u32;
    let mut faces = Vec::new();
    for row in 0..rows - 1 {
        for column in 0..columns - 1 {
            let (below, beside) = (row + 1, column + 1);
            faces.push(vec![
                pixel(row, column),
                pixel(row, beside),
                pixel(below, beside),
                pixel(below, column),
            ]);
        }
    }
    let mut outside: Vec<u32> = (0..rows).map(|row| pixel(row, 0)).collect();
    outside.extend((1..columns).map(|column| pixel(rows - 1, column)));
    outside.extend((0..rows - 1).rev().map(|row| pixel(row, columns - 1)));
    outside.extend((1..columns - 1).rev().map(|column| pixel(0, column)));
    faces.push(outside);
    let mesh = PlanarMesh::new(rows * columns, &faces).unwrap();
    let edge = |a, b| mesh.edges().binary_search(&(a, b)).unwrap();
    let down = (0..(rows - 1) * columns).map(|arc| edge(arc as u32, (arc + columns) as u32));
    let right = (0..rows).flat_map(|r| (0..columns - 1).map(move |c| (r, c)));
    let right = right.map(|(r, c)| edge(pixel(r, c), pixel(r, c + 1))).collect();
    let down = down.collect();
    (mesh, down, right)
}

#[test]
fn a_mesh_of_squares_is_a_grid() {
    let mut random = Random::new(5);
    let mut workspace = Workspace::new();
    for (rows, columns) in [(2, 2), (3, 5), (9, 7), (30, 40)] {
        let (mesh, down, right) = grid_mesh(rows, columns);
        let (wraps, costs) = random_problem(&mut random, rows, columns, 500);
        let problem = GridProblem::new(rows, columns, &wraps, &costs).unwrap();
        let solution = solve_grid(&problem, &mut workspace).unwrap();
        let expected = verify_grid(&problem, &solution.flow, &solution.potentials);
        let mut mesh_wraps = vec![0; mesh.edges().len()];
        let mut mesh_costs = vec![ArcCost::FREE; mesh.edges().len()];
        for (at, arc) in down.iter().enumerate() {
            (mesh_wraps[*arc], mesh_costs[*arc]) = (wraps.down[at], costs.down[at]);
        }
        for (at, arc) in right.iter().enumerate() {
            (mesh_wraps[*arc], mesh_costs[*arc]) = (wraps.right[at], costs.right[at]);
        }
        let meshed = solve_mesh(&mesh, &mesh_wraps, &mesh_costs, &mut workspace).unwrap();
        let certificate =
            verify_mesh(&mesh, &mesh_wraps, &mesh_costs, &meshed.flow, &meshed.potentials).unwrap();
        assert!(expected.is_optimal() && certificate.is_optimal());
        assert_eq!(certificate.objective, expected.objective);
        let cycles = mesh.integrate_cycles(&mesh_wraps, &meshed.flow);
        for (edge, &(a, b)) in mesh.edges().iter().enumerate() {
            let rise = i32::from(mesh_wraps[edge]) + i32::from(meshed.flow[edge]);
            assert_eq!(cycles[b as usize] - cycles[a as usize], rise);
        }
    }
}

#[test]
fn a_transport_problem() {
    // Two ways from node 0 to node 2; the second unit prefers the dearer one.
    let graph = FlowNetwork::new(3, vec![(0, 1), (1, 2), (0, 2)]).unwrap();
    let cost = |variance| ArcCost::quadratic(0, variance);
    let costs = [cost(400), cost(400), cost(100)];
    let supplies = [3, 0, -3];
    let solution = solve_network(&graph, &costs, &supplies, &mut Workspace::new()).unwrap();
    assert_eq!(solution.flow, [2, 2, 1]);
    let certificate =
        verify_network(&graph, &costs, &supplies, &solution.flow, &solution.potentials).unwrap();
    assert!(certificate.is_optimal());
    assert_eq!(certificate.objective, 400 + 400 + 400);
    let worse = verify_network(&graph, &costs, &supplies, &[3, 3, 0], &solution.potentials);
    assert!(!worse.unwrap().is_optimal());
}

#[test]
fn what_is_no_network_is_refused() {
    let error = FlowNetwork::new(2, vec![(0, 2)]).unwrap_err();
    assert!(matches!(error, UnwrapError::NoSuchNode { what: "arc", index: 0, node: 2, count: 2 }));
    let graph = FlowNetwork::new(4, vec![(0, 1), (2, 3)]).unwrap();
    let mut workspace = Workspace::new();
    let costs = [ArcCost::ABSOLUTE; 2];
    let error = solve_network(&graph, &costs, &[1, 0, -1, 0], &mut workspace).unwrap_err();
    assert_eq!(error, UnwrapError::Unbalanced { node: 0 });
    let error = solve_network(&graph, &costs, &[1, 0, 0, 0], &mut workspace).unwrap_err();
    assert!(matches!(error, UnwrapError::Unbalanced { .. }));
    assert!(solve_network(&graph, &costs[..1], &[0; 4], &mut workspace).is_err());
    let error =
        solve_network(&graph, &costs, &[40_000, -40_000, 0, 0], &mut workspace).unwrap_err();
    assert_eq!(error, UnwrapError::FlowOverflow { arc: 0 });
    // The buffers are clean after a failure.
    let solution = solve_network(&graph, &costs, &[1, -1, -2, 2], &mut workspace).unwrap();
    assert_eq!(solution.flow, [1, -2]);
}

#[test]
fn what_is_no_planar_mesh_is_refused() {
    let reason = |vertices, faces: &[Vec<u32>]| match PlanarMesh::new(vertices, faces) {
        Err(UnwrapError::NotPlanar { reason }) => reason,
        other => panic!("{other:?}"),
    };
    let triangle = [vec![0, 1, 2], vec![2, 1, 0]];
    assert!(PlanarMesh::new(3, &triangle).is_ok());
    assert!(reason(3, &triangle[..1]).contains("not walked once in each direction"));
    assert!(reason(4, &triangle).contains("3 of 4 vertices are connected"));
    assert!(PlanarMesh::new(2, &triangle).is_err());
    // A torus of 3 x 3 squares: closed, connected, and 9 - 18 + 9 = 0.
    let at = |row: u32, column: u32| (row % 3) * 3 + column % 3;
    let torus: Vec<Vec<u32>> = (0..9)
        .map(|face| (face / 3, face % 3))
        .map(|(r, c)| vec![at(r, c), at(r, c + 1), at(r + 1, c + 1), at(r + 1, c)])
        .collect();
    assert!(reason(9, &torus).contains("is not 2"));
}
